-- Run once by the PostgreSQL image, as its superuser, when the data volume is empty.
--
-- octopus       owns the tables and migrates. No superuser; it may create the role octopus_system.
-- octopus_app   what the receiver, the workers and the app log in as. It owns nothing, so row-level security holds for
--               it. The migration grants it octopus_system, to be taken for one transaction and never inherited.

\getenv owner_password OCTOPUS_OWNER_PASSWORD
\getenv app_password OCTOPUS_APP_PASSWORD

create role octopus login createrole password :'owner_password';
create role octopus_app login password :'app_password';
grant octopus_app to octopus with admin option;
alter database octopus owner to octopus;
revoke temporary on database octopus from public;
