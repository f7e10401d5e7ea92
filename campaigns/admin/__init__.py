"""The operators' door: everything to be looked at, nothing changed but through the verbs."""

from campaigns.admin import clock, decisions, grants, offers, papers, people, runs, webhooks

__all__ = ["clock", "decisions", "grants", "offers", "papers", "people", "runs", "webhooks"]
