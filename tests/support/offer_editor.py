"""A browser on the form of one offer of a draft."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse, QueryDict
from django.test import Client

from campaigns.models import Draft
from campaigns.offers import drafts
from definitions import bundled, yaml_roundtrip
from tests.support.html_forms import form_data
from tests.support.world import HEADING, offer, t

PATH = bundled.path("september-2022")
assert PATH is not None
SEPTEMBER = PATH.read_text(encoding="utf-8")
SIMPLE = f"{HEADING}offers:\n{offer('ten', conditions='[{fact: merchant.country, is: CN}]  # why', quota='{limit: 3}')}"


class Editor:
    """A browser on the form of one offer of a draft."""

    def __init__(self, source: str = SIMPLE, code: str = "ten") -> None:
        self.draft = drafts.begin(source, title="Draft", at=t("01"), by="ana")
        self.path = f"/admin/drafts/{self.draft.pk}/offers/{code}/"
        self.browser = Client(headers={"accept-language": "en"})
        user = User.objects.filter(username="ana").first() or User.objects.create_superuser("ana")
        self.browser.force_login(user)
        self._html = ""

    @classmethod
    def again(cls, editor: "Editor") -> "Editor":
        """Return another tab of the same browser on the same offer."""
        tab = cls.__new__(cls)
        tab.draft, tab.path, tab.browser, tab._html = editor.draft, editor.path, editor.browser, ""
        return tab

    @property
    def html(self) -> str:
        """The page as it stands; fetched anew after a save."""
        self._html = self._html or self.get(self.browser.get(self.path))
        return self._html

    @html.setter
    def html(self, page: str) -> None:
        self._html = page

    @staticmethod
    def get(answer: Any) -> str:
        assert isinstance(answer, HttpResponse)
        assert answer.status_code == 200
        return answer.content.decode()

    def _post(self, data: QueryDict) -> Any:
        return self.browser.post(self.path, data.urlencode(), "application/x-www-form-urlencoded")

    def change(self, **changes: Any) -> str:
        """Change inputs, as the page does without saving; return the new page."""
        self._html = self.get(self._post(form_data(self.html, **changes)))
        return self._html

    def save(self, **changes: Any) -> bool:
        """Change inputs and press Save; return whether it was saved."""
        answer = self._post(form_data(self.html, save="1", **changes))
        saved: bool = answer.status_code == 302
        self._html = "" if saved else self.get(answer)
        return saved

    @property
    def source(self) -> str:
        return Draft.objects.get(pk=self.draft.pk).source

    @property
    def conditions(self) -> list[Any]:
        return [dict(entry) for entry in yaml_roundtrip.load(self.source)["offers"][0]["conditions"]]

    def value(self, name: str) -> str:
        return str(form_data(self.html).get(name, ""))
