-- The four roles and the database, as `plantwatch up` makes them: said by the superuser before
-- `plantwatch migrate`, at each start, so that a new password in .env is the one that counts.
\getenv database POSTGRES_DB
\getenv owner POSTGRES_USER
\getenv owner_password POSTGRES_PASSWORD
\getenv writer POSTGRES_WRITER_USER
\getenv writer_password POSTGRES_WRITER_PASSWORD
\getenv operator POSTGRES_OPERATOR_USER
\getenv operator_password POSTGRES_OPERATOR_PASSWORD
\getenv reader POSTGRES_READER_USER
\getenv reader_password POSTGRES_READER_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM (VALUES (:'owner'), (:'writer'), (:'operator'), (:'reader')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" LOGIN PASSWORD :'owner_password';
ALTER ROLE :"writer" LOGIN PASSWORD :'writer_password';
ALTER ROLE :"operator" LOGIN PASSWORD :'operator_password';
ALTER ROLE :"reader" LOGIN PASSWORD :'reader_password';

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
