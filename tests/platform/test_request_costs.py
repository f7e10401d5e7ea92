"""No request costs much: the size of forms and of JSON, the time of a statement, and what hostile files take."""

import io
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings

from api import parsers
from api.views.facts import MOST_ERRORS
from config import settings as settings_module
from config.body_limits import VISITORS_LIMIT
from core import clock, search
from core.db.errors import is_unavailable
from imports import column_mapping, file_reader, text_format, xlsx_parts
from imports.columns import CellError
from imports.mapping_loader import load_mapping
from imports.row_parser import MalformedLine
from imports.schema import MAX_COLUMNS
from merchants import api_keys
from tests.support.processes import url

MULTIPART = "multipart/form-data; boundary=x"


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def read(self, _size: int = -1) -> NoReturn:
        raise AssertionError("the body was read")


def sent(client: Client, path: str, size: int, body: Any = None) -> int:
    """Announce a form of `size` bytes, and return the status of the answer."""
    wire: dict[str, Any] = {"wsgi.input": body or Unread(), "CONTENT_LENGTH": str(size), "CONTENT_TYPE": MULTIPART}
    return int(client.generic("POST", path, **wire).status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/password/", "/admin/merchants/merchant/import/", "/api/v1/claims/"])
def test_a_large_form_of_a_visitor_is_refused_unread(path: str, client: Client) -> None:
    assert sent(client, path, 60_000_000) == 413
    assert sent(client, path, VISITORS_LIMIT + 1) == 413


@pytest.mark.django_db
def test_a_visitors_form_up_to_the_limit_is_read(client: Client) -> None:
    head, tail = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n', b"\r\n--x--\r\n"
    body = head + b"a" * (VISITORS_LIMIT - len(head) - len(tail)) + tail
    assert sent(client, "/sign-in/", VISITORS_LIMIT, io.BytesIO(body)) == 200


@pytest.mark.django_db
def test_only_views_of_uploads_accept_large_forms_of_users(client: Client, settings: Settings) -> None:
    client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert sent(client, "/admin/campaigns/offer/", most + 1) == 413
    assert sent(client, "/admin/merchants/merchant/import/", 101_000_001) == 413
    with pytest.raises(AssertionError, match="the body was read"):
        client.raise_request_exception = True
        sent(client, "/admin/merchants/merchant/import/", 101_000_000)


@pytest.fixture
def program(db: None, client: Client) -> Client:
    _key, text = api_keys.issue("costs", scopes=["facts"], at=clock.real(), by="root")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return client


def status(program: Client, body: str) -> int:
    answer = program.post(
        "/api/v1/facts/merchants/", body, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    return int(answer.status_code)


def nested(depth: int) -> str:
    return '{"facts": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def test_deep_and_wide_json_is_refused(program: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[object] = []

    def parse(pairs: Any) -> dict[str, Any]:
        parsed.append(pairs)
        return dict(pairs)

    monkeypatch.setattr(parsers, "_object", parse)
    assert status(program, '{"facts": [' + ",".join(["{}"] * 500_000) + "]}") == 413
    assert parsed == []
    for depth, code in ((parsers.MOST_DEPTH, "invalid"), (parsers.MOST_DEPTH + 1, "nested too deeply")):
        answer = program.post(
            "/api/v1/facts/merchants/", nested(depth), content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 400
        assert code in answer.content.decode()
        assert ("nested too deeply" in answer.content.decode()) == (depth > parsers.MOST_DEPTH)


def test_a_request_is_told_of_its_first_errors(program: Client) -> None:
    """An answer with every error would be seven times as large as the request, and take seconds."""
    fact = ", ".join(f'"c{n}": 1' for n in range(20_000))
    answer = program.post(
        "/api/v1/facts/merchants/",
        f'{{"facts": [{{{fact}}}]}}',
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert (answer.status_code, len(answer.json()["errors"])) == (400, MOST_ERRORS)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_a_statement_of_a_web_process_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_STATEMENT_SECONDS", "1")
    monkeypatch.setenv("FAIRGROUND_LOCK_SECONDS", "2")
    options = settings_module.database(url())["OPTIONS"]["options"]
    with psycopg.connect(url(), options=options) as limited:
        assert limited.execute("SHOW lock_timeout").fetchone() == ("2s",)
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            limited.execute("SELECT pg_sleep(60)")
    with pytest.raises(OperationalError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 100")
        cursor.execute("SELECT pg_sleep(60)")
    assert is_unavailable(caught.value)  # answered 503


def test_the_doubt_about_an_encoding_reads_a_megabyte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    rare = text_format._is_rare

    def judge(character: str) -> bool:
        judged.append(character)
        return rare(character)

    monkeypatch.setattr(text_format, "_is_rare", judge)
    file = tmp_path / "one-line.csv"
    file.write_bytes("商家代码".encode("gb18030") * 500_000)  # four megabytes without a line break
    assert text_format.scan(file)[1] == "gb18030"
    assert 400_000 < len(judged) <= 500_000


def test_a_number_format_of_a_workbook_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    assert xlsx_parts.shows_date("164", "[" * 200 + "yyyy")
    assert not xlsx_parts.shows_date("164", "[" * 255 + "yyyy")
    assert not xlsx_parts.shows_date("9" * 5_000, None)
    assert not xlsx_parts.shows_date("²", None)
    assert xlsx_parts.shows_date("14", None)


def lines_of(path: Path) -> list[Any]:
    with file_reader.open_file(path, limit=file_reader.UPLOAD_LIMIT) as file:
        return [file.header, *file.lines]


def test_lines_of_many_cells_and_lines_without_end_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    file.write_text("a,b\n" + "x," * file_reader.MOST_CELLS + "\n" + "x," * (file_reader.MOST_CELLS - 1) + "\n")
    _header, (_two, wide), (_three, narrow) = lines_of(file)
    assert isinstance(wide, MalformedLine)
    assert wide.reason == f"has {file_reader.MOST_CELLS + 1} columns"
    assert len(narrow) == file_reader.MOST_CELLS
    file.write_text("a,b\n" + "x" * file_reader.LONGEST_LINE + "\n1,2\n")
    _header, (_number, endless) = lines_of(file)
    assert "more than 1000000 characters" in endless.reason
    file.write_text("x" * file_reader.LONGEST_LINE)
    with pytest.raises(CellError, match="more than 1000000 characters"):
        lines_of(file)


MAPPING = "facts: merchants\ncolumns:\n  merchant_code: shop\n"


def test_a_mapped_header_has_a_maximum_width(db: None) -> None:
    mapping = load_mapping(MAPPING)
    assert isinstance(mapping, column_mapping.ColumnMapping)
    wide = [f"c{n}" for n in range(MAX_COLUMNS)]
    assert list(mapping.header_errors(["shop", *wide])) == [("", f"has {MAX_COLUMNS + 1} columns")]
    assert list(mapping.header_errors(["shop", *wide[1:]])) == []


def test_a_search_looks_for_ten_words() -> None:
    condition = search.contains_words(("name", "code"), " ".join(f"w{n}" for n in range(2_000)))
    assert len(condition.children) == search.MOST_WORDS
