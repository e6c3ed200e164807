-- What the SQLite body offers as functions of its own: the store's clock in
-- milliseconds, the announcement of a change with the transaction, and whether
-- a write that was answered is safe from the loss of this machine.
create function ballast_now() returns bigint language sql volatile
	as $$ select (extract(epoch from clock_timestamp()) * 1000)::bigint $$;
create function ballast_notify(notice text) returns text language sql volatile
	as $$ select pg_notify('ballast', notice)::text $$;
create function ballast_is_synchronous() returns integer language sql stable
	as $$ select case when current_setting('synchronous_standby_names') <> ''
		and current_setting('synchronous_commit') not in ('off', 'local') then 1 else 0 end $$;
