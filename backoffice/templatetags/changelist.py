"""Active filters of the lists of the admin."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def active_filters(cl: Any) -> list[tuple[str, str, str]]:
    """Return for each active filter its title, the chosen value, and the query string without it."""
    filters = []
    for spec in cl.filter_specs:
        choices = list(spec.choices(cl))
        chosen = next((choice for choice in choices if choice.get("selected")), None)
        if chosen is not None and choices and chosen is not choices[0]:
            filters.append((str(spec.title), str(chosen["display"]), str(choices[0]["query_string"])))
    if cl.query:
        filters.append(("", str(cl.query), str(cl.get_query_string(remove=["q"]))))
    return filters
