"""The safety page: every test that it names is there, so that no promise is held by nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "safety.md").read_text()
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(\w+)`", PAGE)))
FILES = sorted(set(re.findall(r"`(?:tests/)?(\w+\.py)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert re.search(rf"^(def {name}\(|{name} = )", (TESTS / file).read_text(), re.M)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_named_exists(file: str) -> None:
    assert (TESTS / file).is_file()


def test_every_promise_names_a_test() -> None:
    _, _, after = PAGE.partition("| promise | held by |\n| --- | --- |\n")
    promises = after.partition("\n\n")[0].splitlines()
    assert len(promises) > 10
    assert [row for row in promises if "::test_" not in row.lower()] == []


def test_the_pages_that_it_links_to_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    assert links
    assert [link for link in links if not (TESTS.parent / "docs" / link).exists()] == []
