"""Settings of the production web server: `gunicorn config.wsgi --config python:config.gunicorn`."""

worker_class = "gthread"
workers = 2
threads = 8
control_socket_disable = True
# A header SCRIPT_NAME or PATH_INFO would change which page an address leads to. Nobody may send them, not even a proxy,
# because proxies pass on what clients sent.
forwarder_headers = ""
# The route instead of the address, which may hold the secret of a link; `config.middleware.note_route` notes it.
access_log_format = '%(h)s %(t)s "%({fairground.route}e)s" %(s)s %(B)s %(M)sms'
