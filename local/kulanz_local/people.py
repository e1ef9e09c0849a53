"""Names, towns and habits of the invented customers on the generated lists; nobody here exists."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """Where an invented customer lives. `fee` is a usual monthly fee in the currency's minor units."""

    code: str
    locale: str
    zone: str
    currency: str
    decimals: int
    fee: int
    towns: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]


UNITED_STATES = Country(
    "US", "en", "America/Chicago", "USD", 2, 6_500,
    ("Dallas, TX", "Atlanta, GA", "Chicago, IL", "Houston, TX", "Charlotte, NC", "San Antonio, TX", "Boise, ID"),
    ("Mary", "James", "Linda", "Robert", "Jessica", "Michael", "Denise", "Tyrone", "Xiulan", "Ngọc"),
    ("Smith", "Johnson", "Williams", "O'Brien", "Nguyễn", "Washington", "Begay", "St. John", "Okafor"),
)  # fmt: skip

HISPANIC_STATES = Country(
    "US", "es", "America/Denver", "USD", 2, 5_500,
    ("El Paso, TX", "Hialeah, FL", "Española, NM", "San Juan, PR", "Peñitas, TX"),
    ("María", "José", "Lucía", "Raúl", "Begoña", "Íñigo", "Ximena"),
    ("García", "Peña", "Muñoz", "Hernández", "De la Cruz", "Ibáñez"),
)  # fmt: skip

MEXICO = Country(
    "MX", "es", "America/Mexico_City", "MXN", 2, 29_900,
    ("Cancún", "Querétaro", "Mérida", "León", "Ciudad Juárez, Chih."),
    ("Guadalupe", "Jesús", "Verónica", "Ángel", "Itzel"),
    ("Martínez", "López", "Rodríguez", "Núñez", "Tzuc"),
)  # fmt: skip

GERMANY = Country(
    "DE", "de", "Europe/Berlin", "EUR", 2, 999,
    ("Köln", "München", "Görlitz", "Halle (Saale)", "Frankfurt am Main", "Gießen"),
    ("Jürgen", "Anneliese", "Käthe", "Björn", "Zoë", "Mehmet"),
    ("Müller", "Groß", "Schäfer", "von der Heide", "Özdemir", "Weiß"),
)  # fmt: skip

SWITZERLAND = Country(
    "CH", "fr", "Europe/Zurich", "CHF", 2, 1_290,
    ("Genève", "Neuchâtel", "La Chaux-de-Fonds", "Delémont"),
    ("Amélie", "Loïc", "Noé", "Françoise", "Chloé"),
    ("Rochat", "Favre", "Lièvre", "Bolomey", "d'Allèves"),
)  # fmt: skip

FRANCE = Country(
    "FR", "fr", "Europe/Paris", "EUR", 2, 899,
    ("Paris", "Besançon", "Saint-Étienne", "L'Haÿ-les-Roses", "Nîmes"),
    ("Zoé", "François", "Maëlle", "Cécile", "Jérôme"),
    ("Lefèvre", "Dupont", "Le Goff", "Gérard", "Çelik"),
)  # fmt: skip

SPAIN = Country(
    "ES", "es", "Europe/Madrid", "EUR", 2, 799,
    ("Córdoba", "A Coruña", "Málaga", "San Sebastián", "Logroño"),
    ("Íñigo", "Nuria", "Andrés", "Mónica", "Jorge"),
    ("Ibáñez", "Zuñiga", "Peña", "Fernández", "Ochoa"),
)  # fmt: skip

UNITED_KINGDOM = Country(
    "GB", "en", "Europe/London", "GBP", 2, 649,
    ("London", "Stoke-on-Trent", "Llanfairpwllgwyngyll", "Edinburgh"),
    ("Siobhán", "Oliver", "Priya", "Zadie", "Rhys"),
    ("Smith-Jones", "Patel", "MacLeod", "ap Gwilym", "O'Neill"),
)  # fmt: skip

JAPAN = Country(
    "JP", "ja", "Asia/Tokyo", "JPY", 0, 890,
    ("東京", "大阪", "札幌", "名古屋"),
    ("花子", "太郎", "さくら", "健一"),
    ("佐藤", "鈴木", "高橋", "渡邉"),
)  # fmt: skip

BRAZIL = Country(
    "BR", "pt", "America/Sao_Paulo", "BRL", 2, 2_490,
    ("São Paulo", "Brasília", "Florianópolis", "Belém"),
    ("João", "Conceição", "Vitória", "Antônio"),
    ("da Silva", "Gonçalves", "Araújo", "Simões"),
)  # fmt: skip

POLAND = Country(
    "PL", "pl", "Europe/Warsaw", "PLN", 2, 2_900,
    ("Łódź", "Kraków", "Gdańsk", "Wrocław"),
    ("Małgorzata", "Paweł", "Żaneta", "Łukasz"),
    ("Wiśniewska", "Kamiński", "Zając", "Dąbrowski"),
)  # fmt: skip
