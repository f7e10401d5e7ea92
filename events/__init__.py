"""Events of kinds that campaign definitions declare, such as a webinar that a merchant attended."""
