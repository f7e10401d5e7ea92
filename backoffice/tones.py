"""Tones of states: which pill of the design system shows a state of a grant, a coupon, a draft or a simulation."""

from campaigns.models import Coupon, Draft, Grant, Revocation, Simulation
from merchants.models import Block

GRANT = {
    Grant.Status.RESERVED: "info",
    Grant.Status.LOCKED: "info",
    Grant.Status.SETTLED: "ok",
    Grant.Status.RELEASED: "idle",
    Grant.Status.FORFEITED: "idle",
    Grant.Status.REVOKED: "bad",
}
COUPON = {
    Coupon.Status.ISSUED: "plan",
    Coupon.Status.LOCKED: "info",
    Coupon.Status.REDEEMED: "ok",
    Coupon.Status.EXPIRED: "idle",
    Coupon.Status.VOID: "bad",
}
DRAFT = {
    Draft.Status.DRAFT: "idle",
    Draft.Status.SUBMITTED: "plan",
    Draft.Status.APPROVED: "info",
    Draft.Status.LAUNCHED: "ok",
    Draft.Status.WITHDRAWN: "idle",
}
SIMULATION = {
    Simulation.Status.WAITING: "plan",
    Simulation.Status.RUNNING: "info",
    Simulation.Status.DONE: "ok",
    Simulation.Status.CANCELLED: "idle",
    Simulation.Status.FAILED: "bad",
}
REVOCATION = {
    Revocation.Status.PROPOSED: "plan",
    Revocation.Status.DONE: "ok",
    Revocation.Status.WITHDRAWN: "idle",
}
BLOCK = {
    Block.Status.PROPOSED: "plan",
    Block.Status.APPROVED: "bad",
    Block.Status.WITHDRAWN: "idle",
    Block.Status.LIFTED: "idle",
}
