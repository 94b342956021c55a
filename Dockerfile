FROM python:3.13-slim

# An image without settings refuses to start and names what it lacks.
ENV ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    PYTHONUNBUFFERED=1

WORKDIR /app

# Before the code, so that a change of code reuses the installed packages.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY main.py pyproject.toml ./
COPY admin admin
COPY models models
COPY migrations migrations
COPY seed seed

# A fixed uid, which owners of mounted folders can rely on; data/ is for SQLite.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin admin \
    && install --directory --owner admin --group admin data
USER 10001

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["python", "main.py", "serve"]
