"""Help, the glossary, and the page of the design system."""

from pathlib import Path

import pytest
from django.conf import settings

from backoffice.design import icon_names
from backoffice.help import GUIDES, sections
from tests.support.members import text
from tests.support.operators import Staff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("market"),
    pytest.mark.once(reason="what a page shows; the tests of the browser open pages on PostgreSQL"),
]


def test_the_guides_say_what_to_do_and_lead_there(staff: Staff) -> None:
    browser = staff("vi", "viewer")
    page = text(browser, "/admin/help/")
    assert [str(guide.title) for guide in GUIDES] == [
        "Raise a limit",
        "Find out why a merchant did not get a benefit",
        "Import a file",
        "Approve a draft",
    ]
    for guide in GUIDES:
        assert str(guide.title) in page
        assert all(str(step) in page for step in guide.steps)
    assert 'href="/admin/eligibility/"' in browser.get("/admin/help/").content.decode()
    assert 'href="/admin/help/"' in browser.get("/admin/campaigns/").content.decode()


def test_the_glossary_is_that_of_the_documentation(staff: Staff) -> None:
    terms = [term for _title, terms in sections("en") for term in terms]
    lines = Path(settings.BASE_DIR, "docs", "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not line.startswith(("| term |", "| ---"))]
    assert [f"| {term.word} | {term.other} |" for term in terms] == ["|".join(row.split("|")[:3]) + "|" for row in rows]
    chinese = [term for _title, terms in sections("zh") for term in terms]
    assert [(term.other, term.word) for term in chinese] == [(term.word, term.other) for term in terms]
    page = text(staff("vi", "viewer"), "/admin/help/glossary/")
    assert "quota 名额 what an offer can give: a" in page


def test_the_glossary_in_chinese_is_in_chinese(staff: Staff) -> None:
    page = text(staff("vi", "viewer", language="zh-hans"), "/admin/help/glossary/")
    assert "名额 quota 一项优惠能给出的数量" in page
    assert "the number of" not in page


@pytest.mark.parametrize("query", ["forfeited", "FORFEITED", "已作废"])
def test_a_term_is_found_in_either_language(query: str, staff: Staff) -> None:
    page = text(staff("vi", "viewer"), f"/admin/help/glossary/?q={query}")
    assert "forfeited 已作废" in page
    assert "marketplace" not in page


def test_a_term_that_is_not_there_says_so(staff: Staff) -> None:
    assert "No term found" in text(staff("vi", "viewer"), "/admin/help/glossary/?q=zzz")


def test_the_design_page_shows_every_icon_and_component(staff: Staff) -> None:
    page = staff("vi", "viewer").get("/admin/design/").content.decode()
    assert len(icon_names()) >= 40
    assert all(f"#i-{name}" in page for name in icon_names())
    parts = (
        "btn btn-primary,pill pill-warn,tile,list,tbl,pager,input,select,choice,notice notice-bad,toast,empty,timeline"
    )
    assert all(f'class="{part}' in page for part in f"{parts},dialog,skel,bar,kv,seg,more,form-foot".split(","))
