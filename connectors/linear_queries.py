"""What Octopus asks Linear, in GraphQL. Source: https://linear.app/developers/graphql and its schema (read 2026-11)."""

ISSUE = "id url trashed updatedAt assignee { displayName name } state { type }"

VIEWER = "query Viewer($team: String!) { viewer { name } team(id: $team) { name } }"
TEAMS = """query Teams($after: String) {
  teams(first: 100, after: $after) { nodes { id key name } pageInfo { hasNextPage endCursor } } }"""
PEOPLE = """query People($team: String!, $after: String) {
  team(id: $team) { members(first: 100, after: $after) {
    nodes { id name email active } pageInfo { hasNextPage endCursor } } } }"""

CREATE = "mutation Create($input: IssueCreateInput!) { issueCreate(input: $input) { success issue { id url } } }"
UPDATE = "mutation Update($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }"
COMMENT = "mutation Comment($input: CommentCreateInput!) { commentCreate(input: $input) { success } }"
FIND = f"""query Find($id: ID!) {{
  issues(filter: {{id: {{eq: $id}}}}, includeArchived: true, first: 1) {{ nodes {{ {ISSUE} }} }} }}"""

STATES = """query States($id: String!) {
  issue(id: $id) { state { type } team { states(first: 100) { nodes { id type position } } } } }"""
COMMENTS = """query Comments($id: String!, $after: String) {
  issue(id: $id) { comments(first: 100, after: $after) {
    nodes { id body createdAt user { displayName name } } pageInfo { hasNextPage endCursor } } } }"""
CHANGES = f"""query Changes($team: ID!, $since: DateTimeOrDuration!, $after: String) {{
  issues(filter: {{team: {{id: {{eq: $team}}}}, updatedAt: {{gte: $since}}}}, includeArchived: true,
         orderBy: updatedAt, first: 100, after: $after) {{
    nodes {{ {ISSUE} }} pageInfo {{ hasNextPage endCursor }} }} }}"""

HOOKS = """query Hooks($after: String) {
  webhooks(first: 100, after: $after) { nodes { id url team { id } } pageInfo { hasNextPage endCursor } } }"""
SET_HOOK = "mutation SetHook($input: WebhookCreateInput!) { webhookCreate(input: $input) { success } }"
RESET_HOOK = """mutation ResetHook($id: String!, $input: WebhookUpdateInput!) {
  webhookUpdate(id: $id, input: $input) { success } }"""
