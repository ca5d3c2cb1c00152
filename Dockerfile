# leadmark as one image. The first stage builds the wheel and puts it into an environment of its own, beside the libraries
# of the lock; the last stage has that environment and nothing else: no pip in it, no build tools, no tests.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /build
COPY requirements-build.lock requirements-run.lock ./
# An index of your own: docker build --secret id=pip,src=pip.conf
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python -m venv tools \
    && tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-build.lock
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python -m venv --without-pip /opt/leadmark \
    && tools/bin/python -m pip --python /opt/leadmark/bin/python install --quiet --require-hashes --only-binary :all: -r requirements-run.lock
COPY pyproject.toml README.md ./
COPY config config
COPY connectors connectors
COPY scoring scoring
COPY sync sync
RUN tools/bin/python -m pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && tools/bin/python -m pip --python /opt/leadmark/bin/python install --quiet --no-deps --no-index dist/*.whl

FROM python:3.11-slim
LABEL org.opencontainers.image.title="leadmark" \
      org.opencontainers.image.description="Scores the people in Salesforce and HubSpot with one reviewed model"
# The number is fixed, so that files on a host can be given to it.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin leadmark \
    && mkdir -p /data /etc/leadmark \
    && chmod 0700 /data \
    && chown leadmark:leadmark /data
COPY --from=build /opt/leadmark /opt/leadmark
ENV PATH=/opt/leadmark/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Whether the process turns, not whether a CRM answers: a restart mends no CRM.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "sync.health"]
ENTRYPOINT ["leadmark"]
CMD ["worker", "--config", "/etc/leadmark"]
