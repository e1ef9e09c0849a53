"""Why a row of a list is not decided: the codes that are counted and shown; docs/account-list.md has each cure."""

from enum import StrEnum


class RowReason(StrEnum):
    """The reason codes of rejected rows."""

    ACCOUNT_ID_MISSING = "account_id_missing"
    ACCOUNT_ID_INVALID = "account_id_invalid"
    ACCOUNT_ID_NULL = "account_id_null"
    ACCOUNT_ID_BOOLEAN = "account_id_boolean"
    ACCOUNT_ID_TOTAL = "account_id_total"
    ACCOUNT_ID_DECIMAL = "account_id_decimal"
    ACCOUNT_ID_EXPONENT = "account_id_exponent"
    ACCOUNT_ID_DATE = "account_id_date"
    ACCOUNT_ID_ROUNDED = "account_id_rounded"
    ACCOUNT_ID_SHAPE = "account_id_shape"
    SUBJECT_ID_MISSING = "subject_id_missing"
    SUBJECT_ID_INVALID = "subject_id_invalid"
    SUBJECT_ID_NULL = "subject_id_null"
    SUBJECT_ID_BOOLEAN = "subject_id_boolean"
    SUBJECT_ID_TOTAL = "subject_id_total"
    SUBJECT_ID_DECIMAL = "subject_id_decimal"
    SUBJECT_ID_EXPONENT = "subject_id_exponent"
    SUBJECT_ID_DATE = "subject_id_date"
    SUBJECT_ID_ROUNDED = "subject_id_rounded"
    SUBJECT_ID_SHAPE = "subject_id_shape"
    FACT_INVALID = "fact_invalid"
    LIST_SEPARATOR_UNKNOWN = "list_separator_unknown"
    FIELD_COUNT = "field_count"
    FIELD_WITHOUT_COLUMN = "field_without_column"
    CSV_MALFORMED = "csv_malformed"
    JSON_MALFORMED = "json_malformed"
    HEADER_REPEATED = "header_repeated"
    NOT_UTF8 = "not_utf8"
    NUL_CHARACTER = "nul_character"
    LINE_TOO_LONG = "line_too_long"
    QUOTES_UNBALANCED = "quotes_unbalanced"


REFUSES_THE_LIST = frozenset({RowReason.QUOTES_UNBALANCED, RowReason.LIST_SEPARATOR_UNKNOWN})
"""What is a fault of the file: one such row, and no row of the list is decided."""
