"""Facts about trade in the admin."""

from imports.admin import register
from trade.import_schemas import FILES

register(*FILES)
