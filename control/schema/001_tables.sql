-- The first schema, for both stores. Counters live in one row, so that numbers
-- become visible in their order (a sequence of PostgreSQL would not promise it).
create table installation (
	id integer primary key check (id = 1),
	generation bigint not null,
	revision bigint not null,
	event bigint not null,
	audit bigint not null
);
insert into installation (id, generation, revision, event, audit) values (1, 0, 0, 0, 0);

create table generation (
	stack text not null,
	generation bigint not null,
	document text,
	digest text not null,
	action text not null,
	who text not null,
	why text not null,
	created bigint not null,
	primary key (stack, generation)
);

create table stack (
	name text primary key,
	generation bigint not null
);

create table overlay (
	stack text not null,
	key text not null,
	value text not null,
	expires bigint,
	primary key (stack, key)
);

create table node (
	name text primary key,
	node_id text not null,
	state text not null,
	beat bigint not null
);

create table event (
	id bigint primary key,
	time bigint not null,
	event text not null
);

create table audit (
	id bigint primary key,
	time bigint not null,
	who text not null,
	action text not null,
	stack text not null,
	object text not null,
	why text not null,
	generation bigint not null
);

create table request (
	id text primary key,
	fingerprint text not null,
	generation bigint not null,
	created bigint not null
);
create index request_created on request (created);
