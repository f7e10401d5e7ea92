"""Medians, ratios and exponents, printed as a table."""

import sys
from collections.abc import Sequence
from math import log
from statistics import median


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def exponent(small: tuple[float, float], large: tuple[float, float]) -> float:
    """Return the exponent by which time grows with size, from pairs (size, seconds): 1 is proportional."""
    return log(large[1] / small[1]) / log(large[0] / small[0])


def rate(count: int, seconds: Sequence[float]) -> float:
    """Return the rate per second at the median of the measurements."""
    return count / median(seconds)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return our rate as a part of theirs: the median over pairs measured one after the other."""
    return median(their / our for our, their in zip(ours, theirs, strict=True))


def timings(name: str, count: int, seconds: Sequence[float], unit: str = "orders") -> None:
    """Print a line of the table: every measurement, and the rate at their median."""
    each = " ".join(f"{second:8.3f}" for second in seconds)
    say(f"  {name:<34} {each} s   {rate(count, seconds):>12,.0f} {unit}/s")


def verdict(what: str, found: float, reach: str, *, held: bool) -> None:
    """Print a figure beside its target."""
    say(f"  {what:<34} {found:10.3f}   (asked: {reach}) {'reached' if held else 'MISSED'}")
