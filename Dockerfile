# Two stages: the final image has no build tools, and its user is not root.
FROM python:3.13-slim AS install
WORKDIR /fairground
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 fairground
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /fairground
COPY --from=install /venv /venv
COPY --chown=fairground . .
RUN chown fairground .
USER fairground
RUN python -m core.translations \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python -m whitenoise.compress --quiet var/static
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "-"]
