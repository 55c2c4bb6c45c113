# Stands in for prom/prometheus where no container registry answers: Debian's.
FROM polysent-debian
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends prometheus \
 && install -d -o nobody /prometheus
VOLUME /prometheus
USER nobody
ENTRYPOINT ["prometheus"]
