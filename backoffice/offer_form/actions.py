"""Buttons of the offer form that change its values: remove a token or a row, use a suggested value.

No button is called `remove`: in a form, an input of that name hides the method that htmx calls.
"""

from django.http import QueryDict


def apply_actions(sent: QueryDict) -> QueryDict:
    """Return the sent values after what the pressed button does."""
    data = sent.copy()
    if drop := sent.get("drop"):
        name, _, value = drop.partition("=")
        data.setlist(name, [one for one in data.getlist(name) if one != value])
    if use := sent.get("use"):
        name, word, known = (*use.split("|"), "", "")[:3]
        data.setlist(name, [known if one == word else one for one in data.getlist(name)])
    if removed := sent.get("drop_row"):
        data[f"{removed}-DELETE"] = "on"
    return data
