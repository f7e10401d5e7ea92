"""Facts about trade in the admin."""

from merchants.intake.desk import register
from trade.files import FILES

register(*FILES)
