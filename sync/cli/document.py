"""A document as Markdown of at most 80 columns, and as one HTML page that needs nothing else.

What an admin wrote is text: nothing in it is read as Markdown or HTML.
"""

import re
import textwrap
from collections.abc import Iterator
from html import escape

from scoring.document import Document, Line, Section

WIDTH = 79  # one less than is allowed: a mark at the start of a line may need a backslash

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --faint: #5b6475; --page: #fff; --line: #d8dce5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ee; --faint: #a2abbd; --page: #161a22; --line: #333b4a; }
}
body {
  max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.25rem; }
p { margin: 0.5rem 0; }
h1 + p { color: var(--faint); }
ul, ol { margin: 0.5rem 0; padding-left: 1.4rem; }
li { margin: 0.3rem 0; }
@media print { body { max-width: none; padding: 0; } h2, h3 { break-after: avoid; } li { break-inside: avoid; } }
"""


def markdown(document: Document) -> str:
    r"""The document as Markdown.

    >>> print(markdown(Document(title="How *b2b* scores", text=("As of today.",))))
    # How \*b2b\* scores
    <BLANKLINE>
    As of today.
    <BLANKLINE>
    """
    blocks = [f"# {_marked(document.title)}", *map(_paragraph, document.text)]
    for section in document.sections:
        blocks += _blocks(section, 2)
    return "\n\n".join(blocks) + "\n"


def html(document: Document) -> str:
    """The document as one HTML page with its style."""
    body = [f"<h1>{escape(document.title)}</h1>", *(f"<p>{escape(text)}</p>" for text in document.text)]
    for section in document.sections:
        body += _elements(section, 2)
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n' + "\n".join(
        [*body, "</body>", "</html>", ""]
    )


def _blocks(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {_marked(section.title)}"
    yield from map(_paragraph, section.text)
    if section.items:
        yield "\n".join(
            _wrapped(_item(line), f"{number}. " if section.ordered else "- ")
            for number, line in enumerate(section.items, 1)
        )
    for inner in section.sections:
        yield from _blocks(inner, level + 1)


def _paragraph(text: str) -> str:
    return _wrapped(_marked(text), "")


def _item(line: Line) -> str:
    return f"**{_marked(line.label)}**: {_marked(line.text)}" if line.label else _marked(line.text)


def _wrapped(text: str, mark: str) -> str:
    """The text after its mark, further lines below its beginning; none of them begins like a list or a heading."""
    lines = textwrap.wrap(text, WIDTH - len(mark), break_long_words=False, break_on_hyphens=False)
    plain = [re.sub(r"^(\d+)(?=[.)](\s|$))|^(?=[-+=#>])", r"\1\\", line) for line in lines]
    return mark + ("\n" + " " * len(mark)).join(plain)


def _marked(text: str) -> str:
    """The text with a backslash before everything that Markdown would read."""
    return re.sub(r"([\\`*_\[\]<|~&])", r"\\\1", text)


def _elements(section: Section, level: int) -> Iterator[str]:
    yield f"<h{level}>{escape(section.title)}</h{level}>"
    yield from (f"<p>{escape(text)}</p>" for text in section.text)
    if section.items:
        kind = "ol" if section.ordered else "ul"
        yield f"<{kind}>"
        for line in section.items:
            label = f"<strong>{escape(line.label)}</strong>: " if line.label else ""
            yield f"<li>{label}{escape(line.text)}</li>"
        yield f"</{kind}>"
    for inner in section.sections:
        yield from _elements(inner, level + 1)
