# Stands in for postgres:15 where no container registry answers: Debian's, behind the same variables.
FROM polysent-debian
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql-15 \
 && install -d -o postgres -m 700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
COPY postgres.sh /usr/local/bin/
VOLUME /var/lib/postgresql/data
USER postgres
ENTRYPOINT ["bash", "/usr/local/bin/postgres.sh"]
