"""What each check of the contract suite shows, in a few words."""

from app.ui.i18n import later

NAMES = {
    "it_says_what_it_can_and_how_a_second_task_is_prevented": later("Says what it can do"),
    "every_value_a_manager_types_says_where_to_find_it": later("Explains each setting"),
    "create_sends_text_category_and_key_and_returns_the_ref": later("Creates a task, emoji and Chinese included"),
    "create_and_search_are_as_described": later("Requests are as the vendor describes them"),
    "a_task_whose_answer_was_lost_is_found_or_made_once_more_without_a_second": later(
        "A lost answer makes no second task"
    ),
    "a_task_that_is_not_there_is_not_found": later("Knows when a task is not there"),
    "a_search_answered_in_another_shape_is_not_taken_for_nothing_found": later(
        "A strange search answer is not 'nothing'"
    ),
    "what_a_status_means": later("401, 403, 404, 410, 422 and 5xx"),
    "a_refused_field_is_named": later("Names a refused field"),
    "a_conflict_is_told_from_success": later("Conflicts"),
    "a_rate_limit_is_transient_and_keeps_the_wait": later("Rate limit with its wait"),
    "the_exact_request_is_shown_without_being_sent": later("Shows the exact request before it is sent"),
    "nothing_is_sent_when_the_vendor_cannot_be_reached": later("Vendor cannot be reached"),
    "a_create_that_is_not_answered_in_time_may_have_happened": later("No answer in time"),
    "an_answer_that_drips_is_given_up_and_may_have_happened": later("An answer that drips"),
    "a_create_answered_with_garbage_may_have_happened": later("Cut or senseless answers"),
    "a_create_answered_under_other_names_may_have_happened": later("Renamed fields"),
    "a_text_far_too_long_is_cut_and_keeps_its_end": later("A text far too long"),
    "eight_calls_at_once_ask_for_one_token": later("One token for eight calls at once"),
    "no_secret_in_errors_or_in_what_is_kept_of_the_exchange": later("No secret in errors or logs"),
    "update_and_comment_reach_the_task": later("Updates and comments"),
}
