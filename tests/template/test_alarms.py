"""What the alarms promise: whatever waits, fails or is given up is heard of."""

from tests.template.resolved import Json, Stack

STREAM_READERS = ("PublishNoticesFunction", "AdvanceCampaignFunction")


def alarmed(stack: Stack, metric: str, dimension: str) -> set[str]:
    """What the alarms on a metric watch."""
    return {
        value["Value"]
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == metric
        for value in alarm["Dimensions"]
        if value["Name"] == dimension
    }


def queues(stack: Stack, *, dead_ends: bool) -> set[str]:
    return {
        f"{name}.QueueName"
        for name, properties in stack.of_type("AWS::SQS::Queue").items()
        if ("RedrivePolicy" not in properties) == dead_ends
    }


def test_work_that_waits_too_long_is_heard_of(stack: Stack) -> None:
    assert alarmed(stack, "ApproximateAgeOfOldestMessage", "QueueName") == queues(stack, dead_ends=False)


def test_everything_given_up_or_refused_is_heard_of(stack: Stack) -> None:
    assert alarmed(stack, "ApproximateNumberOfMessagesVisible", "QueueName") == queues(stack, dead_ends=True)


def test_a_reader_that_lags_behind_its_stream_is_heard_of(stack: Stack) -> None:
    assert alarmed(stack, "IteratorAge", "FunctionName") == set(STREAM_READERS)


def test_every_failing_function_is_heard_of(stack: Stack) -> None:
    assert alarmed(stack, "Errors", "FunctionName") == set(stack.of_type("AWS::Lambda::Function"))


def test_a_loss_is_heard_of(stack: Stack) -> None:
    assert alarmed(stack, "DestinationDeliveryFailures", "FunctionName") == set(STREAM_READERS)
    assert alarmed(stack, "InvocationsFailedToBeSentToDlq", "RuleName") == {"IncidentRule", "HealthRule"}


def test_a_stream_batch_that_was_given_up_and_kept_is_heard_of(stack: Stack) -> None:
    """Lambda counts what it sends to a failure destination only where the mapping asks for it, and by mapping alone."""
    readers = {
        name: mapping
        for name, mapping in stack.of_type("AWS::Lambda::EventSourceMapping").items()
        if "DestinationConfig" in mapping
    }
    assert {mapping["FunctionName"] for mapping in readers.values()} == set(STREAM_READERS)
    assert alarmed(stack, "OnFailureDestinationDeliveredEventCount", "EventSourceMappingUUID") == set(readers)
    assert all(mapping["MetricsConfig"] == {"Metrics": ["EventCount"]} for mapping in readers.values())


def alarms_of(parameters: dict[str, str]) -> dict[str, Json]:
    return Stack(parameters).of_type("AWS::CloudWatch::Alarm")


def test_all_alarms_speak_to_the_operators_topic_when_there_is_one() -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:on-call"
    for name, alarm in alarms_of({"AlarmTopicArn": topic}).items():
        assert alarm["AlarmActions"] == [topic], name
    for name, alarm in alarms_of({}).items():
        assert "AlarmActions" not in alarm, name


def test_an_alarm_rests_while_nothing_happens(stack: Stack) -> None:
    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["TreatMissingData"] == "notBreaching", name


def test_the_alarm_for_waiting_campaigns_rests_only_when_none_waits(stack: Stack) -> None:
    """Each of its periods sees at least one of the schedule's figures, so that it never rests in between."""
    (rule,) = [
        rule
        for rule in stack.of_type("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule and rule["Targets"][0]["Arn"] == "arn:AdvanceCampaignFunction"
    ]
    alarm = stack.properties("CampaignsWaitingAlarm")

    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert len(rule["Targets"]) == 1
    assert alarm["Period"] >= 2 * 5 * 60
    assert alarm["Statistic"] == "Maximum"


def test_one_failed_attempt_does_not_yet_raise_the_age_alarm(stack: Stack) -> None:
    hidden_seconds = stack.properties("IncidentsQueue")["VisibilityTimeout"]
    assert int(stack.properties("IncidentsQueueAgeAlarm")["Threshold"]) > hidden_seconds
    assert int(stack.properties("ChunksQueueAgeAlarm")["Threshold"]) > hidden_seconds
    hidden_seconds = stack.properties("SourcesQueue")["VisibilityTimeout"]
    assert int(stack.properties("SourcesQueueAgeAlarm")["Threshold"]) > hidden_seconds


def test_that_one_person_alone_approved_is_heard_of(stack: Stack) -> None:
    alarm, waiting = stack.properties("GlassBrokenAlarm"), stack.properties("CampaignsWaitingAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Kulanz", "GlassBroken")
    assert alarm["Dimensions"] == waiting["Dimensions"], "counted by the same function"
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
