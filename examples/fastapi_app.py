"""A small web service that keeps users in Aerospike.

    pip install aerospike-py fastapi uvicorn
    AEROSPIKE_HOST=127.0.0.1:3000 uvicorn fastapi_app:app

One client serves the whole process: it connects when the service starts, and closes when it ends.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

import aerospike_py as aerospike
from aerospike_py.exception import (
    AerospikeError,
    AerospikeTimeoutError,
    BackpressureError,
    RecordNotFound,
)


def config() -> dict[str, Any]:
    """What the client is made of."""
    return {
        "hosts": [os.environ.get("AEROSPIKE_HOST", "127.0.0.1:3000")],
        # Rather turn a request away than let thousands wait.
        "max_concurrent_operations": 512,
        "operation_queue_timeout_ms": 200,
        # Reads that requests make at the same moment travel together.
        "coalesce_reads": True,
    }


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connect before the first request, close after the last."""
    async with await aerospike.async_client(config()).connect() as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


def client_of(request: Request) -> aerospike.AsyncClient:
    """The dependency: the client of this service."""
    client: aerospike.AsyncClient = request.app.state.client
    return client


Client = Annotated[aerospike.AsyncClient, Depends(client_of)]


class User(BaseModel):
    """What is known of a user."""

    name: str = Field(max_length=100)
    age: int = Field(ge=0, lt=200)


def key(user_id: str) -> tuple[str, str, str]:
    """Where a user's record is."""
    return ("test", "users", user_id)


@app.get("/users/{user_id}")
async def get_user(user_id: str, client: Client, response: Response) -> User:
    """Read a user; the generation is the ETag."""
    record = await client.get(key(user_id))
    response.headers["ETag"] = f'"{record.meta.gen}"'
    return User(**record.bins)


@app.put("/users/{user_id}", status_code=204)
async def put_user(user_id: str, user: User, client: Client) -> None:
    """Write a user, new or not."""
    await client.put(key(user_id), user.model_dump())


@app.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: str, client: Client) -> None:
    """Remove a user."""
    await client.remove(key(user_id))


@app.exception_handler(AerospikeError)
async def on_error(request: Request, error: AerospikeError) -> Response:
    """Errors of the database as answers of this service."""
    if isinstance(error, RecordNotFound):
        failed = HTTPException(404, "no such user")
    elif isinstance(error, (BackpressureError, AerospikeTimeoutError)):
        failed = HTTPException(503, "busy", headers={"Retry-After": "1"})
    else:
        failed = HTTPException(502, "the database says no")
    return Response(failed.detail, failed.status_code, headers=failed.headers)
