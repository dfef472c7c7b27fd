/** Facets of records that are stored: a part of the statement that stores them. */

/** Columns that {@link LISTING} needs of `inserted`. */
export const LISTED_COLUMNS =
  'started_at, facet, project_id, token_id, provider_id, model, status, error_class, stream, cache'

/** Facets are told apart by month, so that they go with its records. */
const MONTH = `date_trunc('month', started_at at time zone 'UTC')::date`

/**
 * Common table expressions that follow on `inserted`, `decided` and those of spending/counting.ts, whose rows they take before
 * these: two statements never wait for each other.
 */
export const LISTING = `
  record_facets as (
    insert into record_facet (month, facet, project_id, provider_id, model_group, status, error_class, stream, cache)
    select distinct on (1, facet) ${MONTH}, facet, project_id, provider_id, model_group(model), status, error_class, stream, cache
    from inserted where (select count(*) from credentials) >= 0
    order by 1, facet
    on conflict do nothing
    returning 1
  ),
  record_tokens as (
    insert into record_token (month, token_id, project_id)
    select distinct ${MONTH}, token_id, project_id
    from inserted where token_id is not null and (select count(*) from record_facets) >= 0
    order by 1, 2, 3
    on conflict do nothing
    returning 1
  ),
  decision_facets as (
    insert into decision_facet (month, facet, project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids)
    select distinct on (1, facet) ${MONTH}, facet, project_id, alias_id, error_class, sticky_hit, fallback_used, asked_ids
    from decided where (select count(*) from record_tokens) >= 0
    order by 1, facet
    on conflict do nothing
  )`
