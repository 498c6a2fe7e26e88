# The `echopulse` command with all that it starts, Flink's distribution and a Java among it (both are wheels).
# An index of your own: docker build --build-arg PIP_INDEX_URL=https://... (used in the first stage only).
FROM python:3.11.14-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG VERSION=0.1.0
ENV BUILD_VERSION=$VERSION
WORKDIR /build
COPY . .
RUN infra/bootstrap \
 && .venv/bin/uv build --quiet --wheel --no-build-isolation --python .venv/bin/python --out-dir /wheel
# Next to it an environment without the builders and checkers; its packages are in uv's cache already.
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN source infra/index_settings.bash && follow_pip .venv/bin/python \
 && python3.11 -m venv --without-pip /opt/echopulse \
 && .venv/bin/uv export --quiet --frozen --no-emit-project --no-default-groups --output-file /pins >/dev/null \
 && .venv/bin/uv pip install --quiet --python /opt/echopulse/bin/python --require-hashes --compile-bytecode -r /pins \
 && .venv/bin/uv pip install --quiet --python /opt/echopulse/bin/python --no-deps --compile-bytecode /wheel/*.whl \
 && cp infra/flink_service.py /opt/echopulse/

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home echopulse && install -d -o echopulse /var/lib/echopulse /home/echopulse/.cache
COPY --from=build /opt/echopulse /opt/echopulse
ENV PATH=/opt/echopulse/bin:$PATH ECHOPULSE_HOME=/var/lib/echopulse
USER echopulse
WORKDIR /var/lib/echopulse
ENTRYPOINT ["echopulse"]
CMD ["--help"]
