/**
 * What records add to sums and counts: parts of the statement that stores them, so that they are added with it, once, or not
 * at all. Rows are taken table by table, and within one in the order of their keys: two statements never wait for each other.
 */

/** Of the table's index, an entry holds no more than 2,704 bytes. */
const LONGEST_FINGERPRINT = 500

/** Whether a token's key was accepted: one that was refused was not used. */
const ACCEPTED = `(error_class is null or error_class not in ('invalid_api_key', 'token_revoked', 'token_expired'))`

/** Columns that {@link COUNTING} needs of `inserted`. */
export const COUNTED_COLUMNS =
  'project_id, token_id, started_at, error_class, cache, billed, counted, cost_usd, attempts'

/** Common table expressions that follow on `inserted`: what was stored just now, and nothing that was there before. */
export const COUNTING = `
  spent as (
    insert into subject_spend (subject_id, day, spent)
    select subject_id, (started_at at time zone 'UTC')::date as day, sum(cost_usd)
    from inserted cross join lateral (values (project_id), (token_id)) as subject (subject_id)
    where subject_id is not null and billed and cost_usd > 0
    group by subject_id, day order by subject_id, day
    on conflict (subject_id, day) do update set spent = subject_spend.spent + excluded.spent
    returning 1
  ),
  used as (
    insert into token_use (token_id, requests, cache_hits, last_used_at)
    select token_id, count(*) filter (where counted), count(*) filter (where cache = 'HIT'), max(started_at)
    from inserted
    where token_id is not null and ${ACCEPTED} and (select count(*) from spent) >= 0
    group by token_id order by token_id
    on conflict (token_id) do update set
      requests = token_use.requests + excluded.requests,
      cache_hits = token_use.cache_hits + excluded.cache_hits,
      last_used_at = greatest(token_use.last_used_at, excluded.last_used_at)
    returning 1
  ),
  credentials as (
    insert into credential_use (provider_id, fingerprint, last_used_at)
    select (attempt->>'providerId')::uuid as provider_id, attempt->>'credentialFingerprint' as fingerprint,
      date_trunc('minute', max(started_at))
    from inserted cross join lateral jsonb_array_elements(attempts) as attempt
    where attempt->>'providerId' is not null and attempt->>'credentialSource' in ('PROJECT', 'PROVIDER')
      and length(attempt->>'credentialFingerprint') <= ${LONGEST_FINGERPRINT}
      and (select count(*) from used) >= 0
    group by 1, 2 order by 1, 2
    on conflict (provider_id, fingerprint) do update set last_used_at = excluded.last_used_at
    where excluded.last_used_at > credential_use.last_used_at
    returning 1
  )`
