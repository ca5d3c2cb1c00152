"""HubSpot through hubspot-api-client: raw JSON, dated paths, our own retries and token buckets."""
