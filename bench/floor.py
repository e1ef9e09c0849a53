"""The bare floor: the same PartiQL inserts, prepared before the clock starts. No list, no decisions, no receipts.

`python -m bench.floor TABLE ROWS CALLS_IN_FLIGHT PREFIX` prints when it began and ended, in monotonic seconds.
"""

import json
import sys
import time

from kulanz.adapters.aws import client
from kulanz.adapters.insert_calls import InsertCalls, Statement
from kulanz.domain.campaigns.write_units import INSERTS_PER_CALL

BODY = json.dumps({"campaign": "x" * 16, "policy": "0" * 64, "row": "0" * 32, "benefits": "x" * 160})


def main(table: str, rows: int, calls_in_flight: int, prefix: str) -> None:
    """Insert so many rows in waves, as a worker does."""
    insert = (
        f"INSERT INTO \"{table}\" VALUE {{'pk': ?, 'sk': ?, 'body': ?, 'status': ?, 'remaining': ?, 'effective_at': ?,"
        " 'ttl': ?, 'origin': ?}"
    )
    statements = [
        Statement(
            number,
            json.dumps(
                {
                    "Statement": insert,
                    "Parameters": [
                        {"S": f"ACCOUNT#{number:011d}"},
                        {"S": f"DECISION#{prefix}#-#001"},
                        {"S": BODY},
                        {"S": "granted"},
                        {"L": [{"N": "500"}]},
                        {"S": "2026-11-22T00:00:00.000001Z"},
                        {"N": "1800000000"},
                        {"N": str(number * 100)},
                    ],
                }
            ),
        )
        for number in range(rows)
    ]
    calls = InsertCalls(client("dynamodb"), calls_in_flight)
    wave = INSERTS_PER_CALL * calls_in_flight
    began = time.monotonic()
    for start in range(0, rows, wave):
        if calls.execute(statements[start : start + wave]):
            raise SystemExit("the floor's keys were not new")
    print(json.dumps([began, time.monotonic()]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
