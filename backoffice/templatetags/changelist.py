"""The admin's lists: what is chosen among their filters, each to be let go by itself."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def active_filters(cl: Any) -> list[tuple[str, str, str]]:
    """For each filter that is set: its title, what was chosen, and the address of the list without it."""
    found = []
    for spec in cl.filter_specs:
        choices = list(spec.choices(cl))
        chosen = next((one for one in choices if one.get("selected")), None)
        if chosen is not None and choices and chosen is not choices[0]:
            found.append((str(spec.title), str(chosen["display"]), str(choices[0]["query_string"])))
    if cl.query:
        found.append(("", str(cl.query), str(cl.get_query_string(remove=["q"]))))
    return found
