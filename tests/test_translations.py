"""Every text is translated into every language, with the values it needs and all its plurals."""

import re
from typing import Any

import pytest
from babel.messages import Catalog, Message

from tests.translations import DOMAINS, LANGUAGES, Domain

PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\}")
# What a plural may leave out, because the word says how many: one byte, two bytes.
COUNTS = {"%(count)s", "%(max)s", "%(num)s"}

pytestmark = [
    pytest.mark.parametrize("domain", DOMAINS, ids=str),
    pytest.mark.parametrize("language", LANGUAGES),
]


def messages(catalogue: Catalog) -> dict[Any, Message]:
    return {message.id: message for message in catalogue if message.id}


def forms(message: Message) -> list[str]:
    """Return all translations of a message."""
    assert message.string is not None
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_a_catalogue_holds_what_the_code_says_and_nothing_else(
    domain: Domain, language: str
) -> None:
    """Run `make translations`, and translate what is empty in the catalogues then."""
    said, known = messages(domain.extract()), messages(domain.read(language))
    assert sorted(map(str, said.keys() - known.keys())) == []
    assert sorted(map(str, known.keys() - said.keys())) == []
    assert not domain.read(language).obsolete


def test_a_catalogue_says_which_texts_are_the_scripts(domain: Domain, language: str) -> None:
    """Pages bring these to the scripts, by the places written in the catalogue."""
    said, known = messages(domain.extract()), messages(domain.read(language))
    for key, message in said.items():
        assert {path for path, _ in message.locations} == {p for p, _ in known[key].locations}


def test_every_text_is_translated_and_nobody_is_in_doubt(domain: Domain, language: str) -> None:
    for key, message in messages(domain.read(language)).items():
        assert not message.fuzzy, key
        assert all(form.strip() for form in forms(message)), key


def test_every_plural_has_all_forms_of_the_language(domain: Domain, language: str) -> None:
    catalogue = domain.read(language)
    for key, message in messages(catalogue).items():
        expected = 1 if isinstance(key, str) else catalogue.num_plurals
        assert len(forms(message)) == expected, key


def test_a_translation_takes_the_same_values(domain: Domain, language: str) -> None:
    for key, message in messages(domain.read(language)).items():
        needed = set(PLACEHOLDER.findall(key if isinstance(key, str) else key[1]))
        for form in forms(message):
            used = set(PLACEHOLDER.findall(form))
            lost = needed - used - (set() if isinstance(key, str) else COUNTS)
            assert (lost, used - needed) == (set(), set()), key
            assert not re.search(r"%(?!\(\w+\)s|%)", form), key


def test_a_catalogue_is_as_the_target_writes_it(domain: Domain, language: str) -> None:
    before = domain.path(language).read_bytes()
    try:
        domain.update(language)
        assert domain.path(language).read_bytes() == before
    finally:
        domain.path(language).write_bytes(before)
