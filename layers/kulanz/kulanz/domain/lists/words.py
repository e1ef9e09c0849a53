"""Words that are no values: what databases, spreadsheets and reports write into a cell that has none.

`NO_VALUE` are the spellings that mean "no value"; they are compared as they are written, because a customer's plan may
well be called `none`. Account ids are compared with `NEVER_AN_ID`, whatever their case.
"""

_AS_WRITTEN = (
    "\\N",  # MySQL's SELECT INTO OUTFILE, PostgreSQL's COPY in text format, Hive, Snowflake
    "None",  # Python's str(None)
    "NA",  # R's write.csv; a policy about Namibia lists it among its choices
    "#NV",  # Excel's #N/A in German, Spanish and Portuguese, Italian
    "#N/D",
    "#N/D!",
    "#N/DISP",
    "#I/T",  # in Danish and Norwegian; then Dutch, Swedish, Finnish, Turkish, Hungarian, Russian
    "#N/B",
    "#SAKNAS!",
    "#PUUTTUU!",
    "#YOK",
    "#HIÁNYZIK",
    "#Н/Д",  # noqa: RUF001
    "-",  # SAP and printed reports
    "--",
    "\N{EN DASH}",
    "\N{EM DASH}",
    "k.A.",  # people, in German, French and Italian
    "n.d.",
    "N.D.",
    "(blank)",  # Excel's pivot tables, and in German, French, Spanish, Italian, Portuguese, Dutch, Polish, Japanese
    "(Leer)",
    "(vide)",
    "(en blanco)",
    "(vuoto)",
    "(vazio)",
    "(leeg)",
    "(puste)",
    "(空白)",
)
_IN_ANY_CASE = (
    "null",  # psql \\pset null, BigQuery, SQL Server, Oracle, Tableau, Power BI
    "(null)",  # Oracle SQL Developer, DBeaver, C's printf
    "<null>",  # DataGrip
    "[null]",  # DBeaver, pgAdmin
    "nil",  # Ruby, Lua
    "<nil>",  # Go's fmt
    "nan",  # pandas and NumPy, Spark
    "nat",  # pandas' NaT, an instant that is none
    "<na>",  # pandas' NA
    "n/a",
    "n.a.",
    "#n/a",  # Excel's "value not available"
    "#n/a n/a",  # read as missing by pandas, written by Bloomberg
    "#na",
    "undefined",  # JavaScript
)


def _cases(word: str) -> tuple[str, ...]:
    """The spellings in which a word is met: as it is, in capitals, with a capital first, and NaN's own."""
    own = {"nan": "NaN", "nat": "NaT"}.get(word, word)
    return word, word.upper(), word.capitalize(), own


NO_VALUE = frozenset(_AS_WRITTEN) | {spelling for word in _IN_ANY_CASE for spelling in _cases(word)}

NULL_WORDS = frozenset(word.casefold() for word in NO_VALUE) | frozenset(
    "unknown unbekannt inconnu desconocido missing fehlt keine leer empty tbd undef inf infinity anonymous".split()  # noqa: SIM905
)
"""What means "no account" where an account id is expected, in any case."""

BOOLEAN_WORDS = frozenset(
    "true false wahr falsch vrai faux verdadero falso vero waar onwaar prawda tosi verdadeiro".split()  # noqa: SIM905
)
"""What a spreadsheet makes of a formula that holds or not, in its languages."""

TOTAL_WORDS = frozenset(
    word.strip()
    for line in (
        "total, totals, grand total, sub total, subtotal, subtotals, sum, overall, overall total, all, count, average",
        "summe, zwischensumme, gesamt, gesamtsumme, gesamtergebnis, ergebnis, insgesamt, summen, anzahl, mittelwert",
        "somme, sous total, sous-total, total général, total general, totaux, ensemble, moyenne, nombre",
        "suma, suma total, total general, subtotales, totales, promedio, cuenta",
        "totale, totale complessivo, totale generale, subtotale, somma, media, conteggio",
        "total geral, soma, totais, contagem",
        "totaal, eindtotaal, subtotaal, som, aantal, gemiddelde",
        "summa, totalt, totalsumma, delsumma, i alt, ialt, sum i alt, hovedtotal, samlet, yhteensä, välisumma",
        "razem, ogółem, suma końcowa, suma częściowa, celkem, součet, celkový součet, spolu",
        "skupaj, ukupno, ukupan zbroj",
        "összesen, végösszeg, részösszeg, toplam, genel toplam, ara toplam",
        "σύνολο, γενικό σύνολο, итого, всего, общий итог, сумма, усього, разом, общо",
        "المجموع, الإجمالي, المجموع الكلي, סה״כ, סך הכל, سرجمع, जोड़, कुल, कुल योग",
        "合计, 合計, 总计, 總計, 总和, 小计, 小計, 総計, 합계, 총합계, 총계, 소계",
        "ยอดรวม, รวม, tổng, tổng cộng, jumlah, total keseluruhan",
        "header, end, eof, end of file, end of report, end of list, footer, trailer, ende, fin",
    )
    for word in line.split(",")
)
"""What the last row of a report calls itself: totals and footers, in the languages of spreadsheets."""

MONTHS = frozenset(
    word
    for line in (
        "jan feb mar apr may jun jul aug sep sept oct nov dec",
        "january february march april june july august september october november december",
        "jän mär mrz mai juni juli okt dez januar jänner februar märz oktober dezember",
        "janv févr fevr mars avr juin juil août aout déc",
        "ene abr ago dic enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gen mag giu lug set ott fev out dez mrt mei maj sty lut kwi cze lip sie wrz paź lis gru",
    )
    for word in line.split()
)
"""What a spreadsheet calls a month in what it took for a date."""
