"""Fictional people and their lists. Numbers end in 555-0100 to 555-0199, which nobody has."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

COLUMNS = ["name", "business_name", "phone", "city", "interest"]
CITIES = {
    "202": "Washington", "212": "New York", "213": "Los Angeles", "214": "Dallas", "303": "Denver", "305": "Miami",
    "312": "Chicago", "313": "Detroit", "404": "Atlanta", "412": "Pittsburgh", "415": "San Francisco",
    "503": "Portland", "504": "New Orleans", "512": "Austin", "602": "Phoenix", "612": "Minneapolis",
    "615": "Nashville", "617": "Boston",
    "619": "San Diego", "702": "Las Vegas", "713": "Houston", "801": "Salt Lake City", "816": "Kansas City",
    "901": "Memphis", "919": "Raleigh",
}  # fmt: skip
FIRST = """Amelia Benjamin Chloe Daniel Elena Farid Grace Hiro Isabel Jonas Keisha Liam Maya Noah Olivia Pablo Quinn
Rosa Samuel Tara Umar Vera Walter Ximena Yusuf Zoe Adaeze Bruno Carmen Dmitri Esther Felix Gloria Hassan
Ines Jamal""".split()
LAST = """Hart Osei Nguyen Kovacs Petrova Haddad Whitfield Tanaka Moreno Fischer Brooks Patel Lindqvist Grant Reyes
Abbott Delgado Adeyemi Okafor Larsen Bianchi Novak Sorensen Marchetti Dubois Castillo Ferreira Ibrahim
Johansson Keller""".split()
TRADES = (
    """Bakery|Auto Repair|Nail Studio|Roofing|Dental Care|Grill|Florist|Cycles|Catering|Plumbing|Salon|Landscaping
Pharmacy|Woodworks|Veterinary Clinic|Tile and Stone|Books|Cleaning|Tax Advisors|Yoga|Brewing|Framing|Opticians|Tailors
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
INTERESTS = ["website refresh", "online booking", "spring promotion", "loyalty program", "card terminal"]
# Names that break a careless page: written from right to left, without a space, with pictures, longer than a line.
UNUSUAL = [
    ("ليلى الحداد", "مخبز الحداد للحلويات الشرقية"),
    ("נועה כהן", "מאפיית כהן ובניו"),
    ("Wolfeschlegelsteinhausenbergerdorff", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerke"),
    ("🌻 Ana-Sofía de la Concepción Martínez y Fernández", "Flores & Sueños 🌷🌹💐 (Downtown, by the river)"),
    ("Αικατερίνη Παπαδοπούλου", "Φούρνος & Υιοί"),
    ("O'Brien <b>Siobhán</b>", '"Quotes" & Sons; the 2nd'),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Person:
    """A row of a list."""

    name: str
    business_name: str
    phone: str
    city: str
    interest: str


def people(seed: int) -> Iterator[Person]:
    """Yield people without end of numbers, always the same for the same seed."""
    dice = random.Random(seed)
    numbers = [(area, last) for area, last in product(CITIES, range(100, 200))]
    dice.shuffle(numbers)
    for area, last in numbers:
        family = dice.choice(LAST)
        yield Person(
            name=f"{dice.choice(FIRST)} {family}",
            business_name=f"{dice.choice([family, CITIES[area], 'Main Street'])} {dice.choice(TRADES)}",
            phone=f"+1 {area} 555 0{last}",
            city=CITIES[area],
            interest=dice.choice(INTERESTS),
        )


def unusual(seed: int) -> Iterator[Person]:
    """Yield the people whose names ask most of a page."""
    for (name, business_name), one in zip(UNUSUAL, people(seed), strict=False):
        yield Person(name=name, business_name=business_name, phone=one.phone, city=one.city, interest=one.interest)


def as_csv(rows: list[Person]) -> bytes:
    """Write a list as a spreadsheet saves it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([one.name, one.business_name, one.phone, one.city, one.interest] for one in rows)
    return text.getvalue().encode()


FLAWED = """\
name,business_name,phone,city,interest
Amelia Hart,Hart Bakery,+1 202 555 0103,Washington,website refresh
Isabel Moreno,Casa Moreno Catering,206-555-01,Seattle,loyalty program
Pablo Reyes,Reyes Tile and Stone,1-800-REYES-TS,Philadelphia,website refresh
,Larsen Cycles,+1 612 555 0140,Minneapolis,card terminal
Amelia Hart,Hart Bakery,(202) 555-0103,Washington,website refresh
Jonas Keller,Keller Opticians,,Denver,online booking
Grace Whitfield,Whitfield Florist,+1 702 555 0145 x12,Las Vegas,online booking
ليلى الحداد,مخبز الحداد,+1 312 555 0161,Chicago,spring promotion
Maya Patel,Patel Pharmacy,+1 713 555 0187,Houston,spring promotion
"""
