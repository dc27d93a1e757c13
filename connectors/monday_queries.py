"""What Octopus asks monday.com, in GraphQL. Source: https://developer.monday.com/api-reference and the schema of API
version 2026-10 (read 2026-11).
"""

COLUMN = "id title type archived settings"
ITEM = """id url state updated_at column_values(ids: $columns) {
    id text ... on StatusValue { label is_done } }"""
NOTE = "id body text_body created_at creator { name }"

CHECK = f"""query Check($board: ID!) {{
  me {{ name }} boards(ids: [$board]) {{ name state access_level columns {{ {COLUMN} }} }} }}"""
BOARDS = f"""query Boards($page: Int!, $limit: Int!) {{
  boards(page: $page, limit: $limit) {{ id name type access_level columns {{ {COLUMN} }} }} }}"""
COLUMNS = f"query Columns($board: ID!) {{ boards(ids: [$board]) {{ columns {{ {COLUMN} }} }} }}"
ADD_COLUMN = """mutation AddColumn($board: ID!, $id: String!, $title: String!, $type: ColumnType!) {
  create_column(board_id: $board, id: $id, title: $title, column_type: $type) { id } }"""

SUBSCRIBERS = """query Subscribers($board: ID!) {
  boards(ids: [$board]) { board_kind subscribers { id name email status } } }"""
USERS = """query Users($page: Int!, $limit: Int!) {
  users(page: $page, limit: $limit, kind: non_guests) { id name email status } }"""

CREATE = """mutation Create($board: ID!, $name: String!, $values: JSON!, $labels: Boolean!) {
  create_item(board_id: $board, item_name: $name, column_values: $values, create_labels_if_missing: $labels) {
    id url } }"""
CHANGE = """mutation Change($board: ID!, $item: ID!, $values: JSON!, $labels: Boolean!) {
  change_multiple_column_values(
    board_id: $board, item_id: $item, column_values: $values, create_labels_if_missing: $labels) { id } }"""
COMMENT = "mutation Comment($item: ID!, $body: String!) { create_update(item_id: $item, body: $body) { id } }"

FIND = f"""query Find($board: ID!, $column: String!, $key: String!, $columns: [String!]) {{
  items_page_by_column_values(board_id: $board, limit: 1, columns: [{{column_id: $column, column_values: [$key]}}]) {{
    items {{ {ITEM} }} }} }}"""
STATUS = f"query Status($item: ID!, $columns: [String!]) {{ items(ids: [$item]) {{ {ITEM} }} }}"
LABELS = f"""query Labels($item: ID!, $columns: [String!], $status: [String]) {{
  items(ids: [$item]) {{ {ITEM} board {{ id columns(ids: $status) {{ {COLUMN} }} }} }} }}"""
COMMENTS = f"""query Comments($item: ID!, $page: Int!, $limit: Int!) {{
  items(ids: [$item]) {{ updates(page: $page, limit: $limit) {{ {NOTE} replies {{ {NOTE} }} }} }} }}"""
CHANGES = f"""query Changes($board: ID!, $key: ID!, $limit: Int!, $columns: [String!]) {{
  boards(ids: [$board]) {{ items_page(limit: $limit, query_params: {{
    rules: [{{column_id: $key, compare_value: [], operator: is_not_empty}}]
    order_by: [{{column_id: "__last_updated__", direction: desc}}] }}) {{ cursor items {{ {ITEM} }} }} }} }}"""
MORE_CHANGES = f"""query MoreChanges($cursor: String!, $limit: Int!, $columns: [String!]) {{
  next_items_page(cursor: $cursor, limit: $limit) {{ cursor items {{ {ITEM} }} }} }}"""

ADD_HOOK = """mutation AddHook($board: ID!, $url: String!, $event: WebhookEventType!) {
  create_webhook(board_id: $board, url: $url, event: $event) { id } }"""
REMOVE_HOOK = "mutation RemoveHook($id: ID!) { delete_webhook(id: $id) { id } }"
