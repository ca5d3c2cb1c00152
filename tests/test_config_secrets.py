"""Secrets are found by reference, and never shown."""

import pytest

from config.secrets import SecretError, resolve


def test_a_variable_of_the_environment(monkeypatch):
    monkeypatch.setenv("LM_TEST_TOKEN", " hush \n")
    assert resolve("env:LM_TEST_TOKEN") == "hush"


def test_a_file_without_its_last_line_end(tmp_path):
    (tmp_path / "token").write_text("hush\n", encoding="utf-8")
    assert resolve(f"file:{tmp_path}/token") == "hush"


def test_any_other_text_stands_for_itself():
    assert resolve("4242") == "4242"
    assert resolve("postgresql://db.example/leadmark") == "postgresql://db.example/leadmark"


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_variable_that_is_not_set_or_empty_is_named(monkeypatch, content):
    monkeypatch.delenv("LM_TEST_TOKEN", raising=False)
    if content is not None:
        monkeypatch.setenv("LM_TEST_TOKEN", content)
    with pytest.raises(SecretError, match=r"^env:LM_TEST_TOKEN: .* set LM_TEST_TOKEN$"):
        resolve("env:LM_TEST_TOKEN")


@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), (b"", "empty"), (b"hush \xff\xfe", "not text")])
def test_a_file_that_holds_no_secret_is_named_and_its_content_is_not(tmp_path, content, words):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretError, match=words) as raised:
        resolve(f"file:{path}")
    assert str(path) in str(raised.value)
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_folder_is_no_secret(tmp_path):
    with pytest.raises(SecretError, match="check path and rights"):
        resolve(f"file:{tmp_path}")
