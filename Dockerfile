# syntax=docker/dockerfile:1
# The mock, for compose files and clusters:
#   docker build -t koncili-mock . && docker run --rm -p 127.0.0.1:8765:8765 koncili-mock
# More options follow the name of the image: docker run ... koncili-mock --limits --variant one-hour-tokens
# Whoever reaches its port can command it (README, "The mock"): publish it to your own machine or network only.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/koncili \
    && /opt/koncili/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
RUN /opt/koncili/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
COPY --from=build /opt/koncili /opt/koncili
RUN useradd --system --uid 10001 --no-create-home koncili \
    && install --directory --owner=koncili /state
USER 10001
WORKDIR /state
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["/opt/koncili/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/_mock', timeout=4)"]
ENTRYPOINT ["/opt/koncili/bin/koncili-conformance", "mock", "--host", "0.0.0.0", "--port", "8765", "--log-format", "human"]
