# MLflow with PostgreSQL, which the image of its makers leaves out. The context is the project.
FROM python:3.11-slim-bookworm
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY constraints.txt /tmp/constraints.txt
RUN python3 -m venv /app \
 && /app/bin/python -m pip install -q -c /tmp/constraints.txt mlflow psycopg2-binary \
 && useradd --uid 1035 mlflow && install -d -o mlflow /artifacts
ENV PATH=/app/bin:/usr/bin:/bin MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
VOLUME /artifacts
EXPOSE 5000
USER mlflow
WORKDIR /tmp
HEALTHCHECK --interval=5s --timeout=3s --start-period=120s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=2)"]
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "1"]
