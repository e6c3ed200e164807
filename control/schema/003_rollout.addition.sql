-- A write that the nodes are asked about before it becomes a generation: one
-- at a time per stack. `revision` is what votes name: a proposal that was made
-- anew under the same id has another. Dates are the store's.
create table proposal (
	stack text primary key,
	id text not null,
	revision bigint not null,
	node text not null,
	asked text not null,
	head bigint not null,
	document text not null,
	digest text not null,
	created bigint not null
);
create table vote (
	proposal bigint not null,
	node text not null,
	answer integer not null,
	reason text not null,
	primary key (proposal, node)
);
-- How long a generation may run without being confirmed (0: it need not be),
-- and when it was (0: not yet).
alter table generation add column confirm_within bigint not null default 0;
alter table generation add column confirmed bigint not null default 0;
