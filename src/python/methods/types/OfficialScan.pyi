    max_records: int
    records_per_second: int
    ttl: int
    def __iter__(self) -> RecordStream: ...
