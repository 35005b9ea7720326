# One file for every image of the stack. It uses nothing that the classic builder lacks, and that builder runs
# every stage above its target: hence the order, and the last stage, which makes `docker build .` the backend.
# MCP_CA_BUNDLE (`mcpctl build --ca-bundle FILE`) is certificates as PEM, trusted while a step runs and left nowhere.
ARG BASE_IMAGE=python:3.11-slim

# --- what all images share: the user, and no package installer ---------------------------------------------------
FROM ${BASE_IMAGE} AS runtime
RUN groupadd --gid 1000 mcpuser \
    && useradd --uid 1000 --gid 1000 --home-dir /home/mcpuser --create-home --shell /usr/sbin/nologin mcpuser \
    && install -d -o mcpuser -g mcpuser -m 0755 /data /home/mcpuser/.aws \
    && rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/site-packages/setuptools* \
        /usr/local/lib/python3*/site-packages/wheel* /usr/local/bin/pip* \
        /usr/local/lib/python3*/ensurepip /usr/lib/python3*/ensurepip /usr/share/python-wheels
WORKDIR /app
LABEL org.opencontainers.image.title="mcp-router" \
      org.opencontainers.image.description="AWS tools over HTTP and MCP"

# --- the service's dependencies ----------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS builder
COPY docker/install-requirements.sh /build/
COPY requirements/server.txt /build/
ARG MCP_CA_BUNDLE=
RUN sh /build/install-requirements.sh /build/server.txt

# --- the tool service --------------------------------------------------------------------------------------------
FROM runtime AS backend
COPY --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/home/mcpuser
COPY server /app/server
# Loading everything once proves that the image works, and leaves the byte code that a read-only root cannot keep.
RUN rm -rf /app/server/sandbox \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /app/server \
    && python3 -m server --check
ENV PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python3", "-I", "-S", "/app/server/healthcheck.py", "http://127.0.0.1:8000/health"]
CMD ["python3", "-m", "server", "--host", "0.0.0.0", "--port", "8000"]

# --- the web page, and one door to the service ---------------------------------------------------------------------
FROM runtime AS frontend
ARG MCP_CA_BUNDLE=
RUN if [ -n "$MCP_CA_BUNDLE" ]; then \
        printf '%s\n' "$MCP_CA_BUNDLE" | cat /etc/ssl/certs/ca-certificates.crt - > /tmp/ca.crt \
        && echo 'Acquire::https::CAInfo "/tmp/ca.crt";' > /etc/apt/apt.conf.d/99ca; \
    fi \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /etc/nginx/sites-enabled /etc/nginx/modules-enabled \
        /tmp/ca.crt /etc/apt/apt.conf.d/99ca
COPY docker/nginx.conf /etc/nginx/nginx.conf
COPY server/console /app/console
COPY server/healthcheck.py /app/server/healthcheck.py
USER 1000:1000
EXPOSE 80
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
    CMD ["python3", "-I", "-S", "/app/server/healthcheck.py", "http://127.0.0.1:80/"]
CMD ["nginx", "-e", "stderr", "-g", "daemon off;"]

# --- the pretended AWS account -------------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS sandbox-builder
COPY docker/install-requirements.sh /build/
COPY requirements/sandbox.txt /build/
ARG MCP_CA_BUNDLE=
RUN sh /build/install-requirements.sh /build/sandbox.txt

FROM runtime AS sandbox
COPY --from=sandbox-builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/home/mcpuser
COPY server /app/server
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app/server \
    && python3 -m server.sandbox --check
ENV PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-I", "-S", "/app/server/healthcheck.py", "http://127.0.0.1:5000/_sandbox/health"]
CMD ["python3", "-m", "server.sandbox", "--host", "0.0.0.0", "--port", "5000"]

# --- what `docker build .` makes -----------------------------------------------------------------------------------
FROM backend AS default
