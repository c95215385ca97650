"""Info commands: of all nodes, of some node, of one."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import exception as ex

# ---- info ----


def test_info_of_all_nodes(client):
    answer = client.info_all("build")
    assert isinstance(answer, list)
    assert type(answer[0]) is aerospike_py.InfoNodeResult
    node, code, text = answer[0]
    assert (answer[0].node_name, answer[0].error_code, answer[0].response) == (node, code, text)
    assert node == client.get_node_names()[0]
    assert code == 0
    assert text[0].isdigit()
    assert "\n" not in text
    assert "build" not in text


def test_info_is_read_as_a_dict_too(client):
    answer = client.info_all("build")
    name = client.get_node_names()[0]
    assert list(answer.keys()) == [name]
    error, text = answer[name]
    assert error is None
    assert text == answer[0].response + "\n"
    assert dict(answer.items())[name] == (None, text)
    assert list(answer.values()) == [(None, text)]
    # as users of the official client write it
    assert [answer[node][1] for node in answer] == [text]


def test_info_of_all_nodes_on_the_strict_face(strict):
    answer = strict.info_all("build")
    assert type(answer) is dict
    (name, (error, text)), = answer.items()
    assert name == strict.get_node_names()[0]["node_name"]
    assert error is None
    assert text.endswith("\n")
    assert "\t" not in text


def test_info_of_some_node(client, strict):
    text = client.info_random_node("build")
    assert text[0].isdigit()
    assert "\n" not in text
    assert strict.info_random_node("build") == f"build\t{text}\n"


def test_info_of_one_node(face):
    name = face.get_node_names()[0]
    name = name["node_name"] if isinstance(name, dict) else name
    assert face.info_single_node("build", name).startswith("build\t")
    with pytest.raises(ex.ParamError, match="Could not get node"):
        face.info_single_node("build", "nobody")


@pytest.mark.parametrize("bad", [None, 5, [], {}, 3000.0, ()])
def test_the_host_of_info_is_a_str(face, bad):
    with pytest.raises(ex.ParamError, match=r"(?i)host"):
        face.info_single_node("build", bad)


@pytest.mark.parametrize("bad", [None, 5, [], {}, False])
def test_a_command_is_a_str(face, bad):
    for call in (face.info_all, face.info_random_node, lambda c: face.info_single_node(c, "x")):
        with pytest.raises(ex.ParamError, match=r"(?i)request|command"):
            call(bad)
        with pytest.raises(TypeError):
            call(bad)


@pytest.mark.parametrize("bad", ["", "two\nlines"])
def test_a_command_is_one_line(client, bad):
    for call in (client.info_all, client.info_random_node):
        with pytest.raises(ValueError, match="command"):
            call(bad)


def test_a_command_that_is_refused(client, strict):
    answer = client.info_all("no-such-command")
    assert answer[0].error_code == 4
    assert answer[0].response.startswith("ERROR:4")
    for one in (client, strict):
        with pytest.raises(ex.InvalidRequest) as e:
            one.info_random_node("no-such-command")
        assert e.value.code == 4
    with pytest.raises(ex.InvalidRequest):
        strict.info_all("no-such-command")


@pytest.mark.parametrize("bad", ["", [], (), 5, False, "policy"])
def test_the_policy_of_info(face, bad):
    for call in (face.info_all, face.info_random_node):
        with pytest.raises(ex.ParamError) as e:
            call("build", bad)
        assert e.value.msg == "policy must be a dict"


@pytest.mark.parametrize("bad", [0.5, "1000", "", [1]])
def test_the_timeout_of_info(face, bad):
    with pytest.raises(ex.ParamError) as e:
        face.info_random_node("build", {"timeout": bad})
    assert e.value.msg == "timeout is invalid"


def test_a_long_answer(client):
    text = client.info_random_node("statistics")
    assert "cluster_size=1" in text.split(";")


def test_info_of_three_nodes(cluster, make_client):
    client = make_client(hosts=cluster.hosts[:1])
    assert len(client.info_all("build")) == 3
    assert len(client.get_nodes()) == 3
    seen = {client.info_random_node("node") for _ in range(60)}
    assert seen == set(client.get_node_names())
    for name in client.get_node_names():
        assert client.info_single_node("node", name) == f"node\t{name}\n"
