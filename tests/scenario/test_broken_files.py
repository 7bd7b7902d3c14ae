"""Every broken file of the corpus is refused at its place, in words, with a cure."""

from pathlib import Path

import pytest

from tests.scenario.shop import make_world
from windtunnel.errors import ScenarioError
from windtunnel.scenario import MAX_BYTES, load_scenario

CORPUS = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expectation(file: Path) -> tuple[str, list[str]]:
    first = file.read_bytes().split(b"\n")[0].decode()
    place, _, words = first.removeprefix("# expect: ").partition("|")
    return place.strip(), [part.strip() for part in words.split(" | ")]


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 80


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_broken_file_is_refused_where_it_is_broken(file):
    place, words = expectation(file)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file, make_world())
    error = caught.value
    assert error.where is not None
    assert error.where.startswith(f"{file}:{place}")
    assert place.endswith(":") or error.where == f"{file}:{place}"
    said = f"{error.message} | {error.remedy}"
    for part in words:
        assert part in said
    assert (error.data["file"], error.data["line"]) == (str(file), int(place.split(":")[0]))
    assert len(str(error)) < 500


def test_a_file_that_is_too_large_is_refused_unread(tmp_path):
    file = tmp_path / "huge.yaml"
    with file.open("wb") as opened:
        opened.truncate(MAX_BYTES + 1)
    with pytest.raises(ScenarioError, match="larger than 4 MiB"):
        load_scenario(file, make_world())


def test_a_folder_is_no_scenario_file(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path, make_world())


def test_the_parser_in_python_refuses_the_same_files_with_the_same_line(monkeypatch):
    import yaml

    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    for file in CORPUS:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(file, make_world())
        assert str(caught.value.data["line"]) == expectation(file)[0].split(":")[0], file.stem
