# Two stages: the final image has no build tools. The process cannot change the code, which belongs to root.
FROM python:3.13.7-slim-bookworm AS install
WORKDIR /fairground
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.13.7-slim-bookworm
RUN useradd --no-create-home --uid 10001 fairground
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /fairground
COPY --from=install /venv /venv
COPY . .
RUN python -m core.translations \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && python -m whitenoise.compress --quiet var/static \
    && chmod -R a+rX,go-w .
USER fairground
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--config", "python:config.gunicorn", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-"]
