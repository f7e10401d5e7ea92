"""Scorecards: one with a cap, bands and a gate, for the pages and the REST API; others that no tick evaluates."""

STARS = """
measures:
  volume:
    names: {en: Volume, zh: 交易额}
    sum: trade_orders.amount_usd
    over: {last_days: 90, at: first_payment_at}
  disputes: {share: trade_orders, where: [{fact: disputed_at, happened: yes}], over: {last_days: 90, at: first_payment_at}, otherwise: 0.00}
scorecards:
  - code: stars
    names: {en: Stars, zh: 星级}
    subjects: merchants
    where: all
    series:
      predicted: {every: day, from: 2022-08-01 00:00:00}
      official: {every: month, from: 2022-08-01 00:00:00, in_force: {month_from: 5}}
    levels: [{level: 0}, {level: 1, from: 40.00, names: {en: one star, zh: 一星}}, {level: 2, from: 60.00}]
    level: lowest
    score: mean
    versions:
      - parts:
          - code: trade
            names: {en: Trade, zh: 交易力}
            at_most: 70.00
            add:
              - {measure: volume, bands: [{from: 1000.00, points: 40.00}, {from: 3000.00, points: 60.00}]}
              - {measure: disputes, bands: [{to: 1.00, points: 35.00}, {to: 50.00, points: 5.00}]}
              - code: partner
                names: {en: Partner, zh: 伙伴}
                where: [{fact: merchant.logistics_partner, is: yes}]
                points: 12.00
                certain: yes
"""  # noqa: E501  # a measure a line


def unrated(*codes: str, metric: str) -> str:
    """Return scorecards with four levels and a metric whose first evaluation lies in the future."""
    return "scorecards:\n" + "".join(
        f"  - {{code: {code}, names: {{en: {code}, zh: {code}}}, subjects: merchants, where: all, level: score, "
        "score: sum, series: {official: {every: month, from: 2032-08-01 00:00:00}}, "
        "levels: [{level: 0}, {level: 1, from: 60}, {level: 2, from: 70}, {level: 3, from: 80}], "
        f"metrics: [{{code: {metric}, count: reviews}}], "
        "versions: [{parts: [{code: base, names: {en: Base, zh: 基}, points: 9}]}]}\n"
        for code in codes
    )
