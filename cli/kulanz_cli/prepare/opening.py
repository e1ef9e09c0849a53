"""Which source reads a file: told by what the file begins with."""

import gzip
from pathlib import Path

from kulanz_cli.prepare.profile import Profile
from kulanz_cli.prepare.sources import (
    GZIP,
    GZIP_FAULTS,
    OLD_WORKBOOK,
    OTHER_COMPRESSION,
    PARQUET,
    ZIP,
    InputUnusable,
    Progress,
    Source,
    cut_off,
)


def open_source(path: Path, profile: Profile, progress: Progress) -> Source:
    """The source of a file, by what it begins with; never by its name. Raises InputUnusable."""
    with path.open("rb") as file:
        head = file.read(len(PARQUET) + 1)
        is_gzip = head.startswith(GZIP)
        if is_gzip:
            head = _unpacked_head(path)
    if not head:
        raise InputUnusable(f"{path}: the file is empty; export it again")
    if head.startswith(PARQUET):
        from kulanz_cli.prepare.parquet import ParquetSource  # noqa: PLC0415 (needs an engine that few have installed)

        return ParquetSource(path, progress)
    if head.startswith(ZIP):
        from kulanz_cli.prepare.workbook import WorkbookSource  # noqa: PLC0415 (as above)

        return WorkbookSource(path, profile, progress)
    if head.startswith(OLD_WORKBOOK):
        raise InputUnusable(f"{path}: it is an old workbook (.xls); save it as .xlsx")
    for mark, name in OTHER_COMPRESSION.items():
        if head.startswith(mark):
            raise InputUnusable(f"{path}: it is compressed with {name}; unpack it, or compress it with gzip")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        from kulanz_cli.prepare.json_rows import JsonSource  # noqa: PLC0415 (as above)

        return JsonSource(path, profile, progress, is_gzip=is_gzip)
    from kulanz_cli.prepare.text import TextSource  # noqa: PLC0415 (as above)

    return TextSource(path, profile, progress, is_gzip=is_gzip)


def _unpacked_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(len(PARQUET) + 1)
    except GZIP_FAULTS:
        raise cut_off(path) from None
