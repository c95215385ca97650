    max_records: int
    records_per_second: int
    ttl: int
    def __aiter__(self) -> AsyncRecordStream: ...
