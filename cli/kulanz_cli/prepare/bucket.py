"""Files of an export that lie in S3: `s3://BUCKET/PREFIX` stands for all objects whose keys begin so, in order."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.parts import PARTS_MOST

SCHEME = "s3://"


@contextmanager
def with_fetched(files: Sequence[str], make_client: Callable[[], Any]) -> Iterator[list[str]]:
    """The same files with those of buckets as copies in a folder, which is removed again. Raises Unusable.

    Objects without bytes are left out: they are folders, and marks such as `_SUCCESS`.
    """
    if not any(one.startswith(SCHEME) for one in files):
        yield list(files)
        return
    s3 = make_client()
    with tempfile.TemporaryDirectory(prefix="kulanz-fetched-") as folder:
        found: list[str] = []
        for number, one in enumerate(files):
            found += _fetched(s3, one, Path(folder) / str(number)) if one.startswith(SCHEME) else [one]
        yield found


def _fetched(s3: Any, url: str, folder: Path) -> list[str]:
    bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
    if not bucket or not prefix:
        raise Unusable(f"{url} names no prefix; write s3://BUCKET/PREFIX")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = sorted(item["Key"] for page in pages for item in page.get("Contents", ()) if item["Size"])
    if not keys:
        raise Unusable(f"there is no object under {url}")
    if len(keys) > PARTS_MOST:
        raise Unusable(f"{len(keys):,} objects are under {url}; at most {PARTS_MOST:,} are read")
    folder.mkdir()
    paths = []
    for place, key in enumerate(keys):
        path = folder / f"{place:05d}-{key.rpartition('/')[2]}"
        with path.open("wb") as file:
            for block in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1024 * 1024):
                file.write(block)
        paths.append(str(path))
    return paths
