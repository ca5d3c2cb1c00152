"""Words to make people of. Nobody is meant: addresses end in reserved names or in free-mail domains."""

#: (as shown, as in an address)
FIRST = (
    ("Ada", "ada"), ("Ben", "ben"), ("Clara", "clara"), ("David", "david"), ("Elena", "elena"), ("Farid", "farid"),
    ("Grace", "grace"), ("Hugo", "hugo"), ("Ines", "ines"), ("Jonas", "jonas"), ("Kira", "kira"), ("Liam", "liam"),
    ("Mona", "mona"), ("Noah", "noah"), ("Olga", "olga"), ("Pavel", "pavel"), ("Quinn", "quinn"), ("Rosa", "rosa"),
    ("Sven", "sven"), ("Tara", "tara"), ("Uma", "uma"), ("Vera", "vera"), ("Wim", "wim"), ("Yara", "yara"),
)  # fmt: skip
LAST = (
    ("Adler", "adler"), ("Brook", "brook"), ("Castell", "castell"), ("Dahl", "dahl"), ("Evers", "evers"),
    ("Ferro", "ferro"), ("Grant", "grant"), ("Holm", "holm"), ("Ivers", "ivers"), ("Jansen", "jansen"),
    ("Keller", "keller"), ("Lund", "lund"), ("Moreau", "moreau"), ("Novak", "novak"), ("Orr", "orr"),
    ("Petrov", "petrov"), ("Quist", "quist"), ("Rossi", "rossi"), ("Stone", "stone"), ("Tamm", "tamm"),
    ("Urban", "urban"), ("Vance", "vance"), ("West", "west"), ("Young", "young"), ("Ziegler", "ziegler"),
)  # fmt: skip
ACCENTED_FIRST = (
    ("Zoë", "zoe"), ("Łukasz", "lukasz"), ("Åsa", "asa"), ("Søren", "soren"), ("José", "jose"), ("Jürgen", "juergen"),
    ("Мария", "maria"), ("李娜", "lina"), ("Þóra", "thora"), ("Seán", "sean"),
)  # fmt: skip
ACCENTED_LAST = (
    ("Müller", "mueller"), ("Núñez", "nunez"), ("Ångström", "angstrom"), ("O'Brien", "obrien"), ("Dvořák", "dvorak"),
    ("Иванова", "ivanova"), ("Yüksel", "yueksel"), ("Đặng", "dang"), ("Großmann", "grossmann"), ("D'Angelo", "dangelo"),
)  # fmt: skip
COMPANIES = (
    "Acme", "Borealis", "Cobalt", "Delta Works", "Everfield", "Fathom", "Granite", "Harbor", "Ionic", "Juniper",
    "Keystone", "Larkspur", "Monolith", "Northgate", "Orchard", "Pinnacle", "Quarry", "Redwood", "Silverline",
    "Tideway",
)  # fmt: skip
COUNTRIES = (
    "United States",
    "Germany",
    "United Kingdom",
    "France",
    "Netherlands",
    "Norway",
    "Brazil",
    "India",
    "Japan",
)
FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "web.de", "icloud.com")
CAMPUS = ("university.example", "college.example", "polytechnic.example")
#: competitors' domains, and those of accounts sales wants
RIVALS = ("rival-one.example", "rival-two.example", "rival-three.example")
TARGETS = ("lighthouse.example", "meridian.example", "summit.example", "vanguard.example")
SENIOR = (
    "VP Operations", "VP of Sales", "Director of Marketing", "Head of IT", "Director, Revenue Operations",
    "Vice President Engineering", "Head of Procurement", "Marketing Director",
)  # fmt: skip
MIDDLE = (
    "Marketing Manager", "IT Manager", "Sales Operations Analyst", "Product Manager", "Business Analyst",
    "Operations Specialist", "Software Engineer", "Account Manager", "Purchasing Manager",
)  # fmt: skip
CHIEFS = ("CEO", "Chief Financial Officer", "CTO", "Chief Marketing Officer", "Founder & CEO", "COO")
STUDENTS = ("Student", "PhD Student", "Graduate Student", "")
INTERNS = ("Marketing Intern", "Intern", "Working Student Sales")
