"""Facts about freight in the admin."""

from logistics.files import FILES
from merchants.intake.desk import register

register(*FILES)
