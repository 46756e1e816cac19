{{- define "signaalwissel.name" -}}
{{- if contains "signaalwissel" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-signaalwissel" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "signaalwissel.selector" -}}
app.kubernetes.io/name: signaalwissel
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "signaalwissel.labels" -}}
{{ include "signaalwissel.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "signaalwissel.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{/* Where the page Beheer asks: one pod of intake and of matcher, and every sink. */}}
{{- define "signaalwissel.looks" -}}
{{- $name := include "signaalwissel.name" . }}
{{- $port := int .Values.healthPort }}
{{- $looks := list (printf "http://%s-intake:%d" $name $port) (printf "http://%s-matcher:%d" $name (add $port 1)) }}
{{- range $instance := until (int .Values.sink.instances) }}
{{- $looks = append $looks (printf "http://%s-sink-%d:%d" $name $instance (add $port 2 $instance)) }}
{{- end }}
{{- join "," $looks }}
{{- end }}

{{/* What every pod has of Pod Security "restricted". */}}
{{- define "signaalwissel.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "signaalwissel.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Environment of a process. In: root, process, user, needs (list of database, keys, access, session). */}}
{{- define "signaalwissel.env" -}}
{{- $v := .root.Values }}
{{- $user := index $v.kafka.users .user }}
{{- $security := $v.kafka.security }}
- {name: SIGNAALWISSEL_KAFKA_BOOTSTRAP, value: {{ required "kafka.bootstrap: give host:port" $v.kafka.bootstrap | quote }}}
- {name: SIGNAALWISSEL_TOPIC_PREFIX, value: {{ $v.kafka.topicPrefix | quote }}}
- {name: SIGNAALWISSEL_PARTITIONS, value: {{ $v.kafka.partitions | quote }}}
- {name: SIGNAALWISSEL_REPLICATION_FACTOR, value: {{ $v.kafka.replicationFactor | quote }}}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_PROTOCOL, value: {{ $security.protocol }}}
{{- if hasPrefix "SASL" $security.protocol }}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_MECHANISM, value: {{ $security.mechanism }}}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_USERNAME, value: {{ $user.username | quote }}}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_PASSWORD_FILE, value: /run/secrets/kafka/{{ $user.passwordKey }}}
{{- else if eq $security.protocol "SSL" }}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_CERTIFICATE_FILE, value: /run/secrets/kafka/user.crt}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_KEY_FILE, value: /run/secrets/kafka/user.key}
{{- end }}
{{- if $security.caSecret.name }}
- {name: SIGNAALWISSEL_KAFKA_SECURITY_CA_FILE, value: /run/secrets/kafka-ca/{{ $security.caSecret.key }}}
{{- end }}
{{- if has "database" .needs }}
- name: SIGNAALWISSEL_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ required "database.existingSecret: name the secret with the URL" $v.database.existingSecret }}, key: {{ get $v.database.urlKeys (ternary "owner" .user (hasKey . "job")) | default $v.database.urlKey }}}
{{- end }}
{{- if has "keys" .needs }}
{{- if and (eq $v.keys.provider "vault") (not (get $v.settings "VAULT_URL")) }}
{{- fail "settings.VAULT_URL: with keys.provider vault, give the address of the key service" }}
{{- end }}
- {name: SIGNAALWISSEL_KEY_PROVIDER, value: {{ $v.keys.provider }}}
{{- if eq $v.keys.provider "local" }}
- {name: SIGNAALWISSEL_KEY_DIR, value: /var/lib/signaalwissel/keys}
{{- end }}
{{- end }}
{{- if $v.policies.existingConfigMap }}
- {name: SIGNAALWISSEL_POLICY_DIR, value: /etc/signaalwissel/policies}
{{- end }}
{{- if $v.publishersFile.existingConfigMap }}
- {name: SIGNAALWISSEL_PUBLISHERS_FILE, value: /etc/signaalwissel/publishers/{{ $v.publishersFile.key }}}
{{- end }}
{{- if has "access" .needs }}
- {name: SIGNAALWISSEL_ACCESS_FILE, value: /run/secrets/access/{{ $v.access.key }}}
- {name: SIGNAALWISSEL_HTTP_HOST, value: 0.0.0.0}
- {name: SIGNAALWISSEL_HTTP_BEHIND_PROXY, value: "true"}
{{- end }}
{{- if has "session" .needs }}
- {name: SIGNAALWISSEL_SESSION_SECRET_FILE, value: /run/secrets/session/{{ $v.session.key }}}
{{- end }}
{{- if has "health" .needs }}
- {name: SIGNAALWISSEL_HEALTH_HOST, value: 0.0.0.0}
- {name: SIGNAALWISSEL_HEALTH_PORT, value: {{ $v.healthPort | quote }}}
{{- end }}
{{- if and (has "looks" .needs) (not (hasKey $v.settings "HEALTH_ADDRESSES")) }}
- {name: SIGNAALWISSEL_HEALTH_ADDRESSES, value: {{ include "signaalwissel.looks" .root | quote }}}
{{- end }}
{{- if has "state" .needs }}
- {name: SIGNAALWISSEL_STATE_STORE, value: {{ $v.stateStore.kind }}}
{{- if eq $v.stateStore.kind "rocksdb" }}
- {name: SIGNAALWISSEL_STATE_DIR, value: /var/lib/signaalwissel/state}
{{- end }}
{{- end }}
{{- range $name, $value := $v.settings }}
- {name: SIGNAALWISSEL_{{ $name }}, value: {{ toString $value | quote }}}
{{- end }}
{{- range $name, $secret := $v.secretSettings }}
- name: SIGNAALWISSEL_{{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.key }}}
{{- end }}
{{- end }}

{{- define "signaalwissel.mounts" -}}
{{- $v := .root.Values }}
- {name: tmp, mountPath: /tmp}
{{- if ne $v.kafka.security.protocol "PLAINTEXT" }}
- {name: kafka, mountPath: /run/secrets/kafka, readOnly: true}
{{- end }}
{{- if $v.kafka.security.caSecret.name }}
- {name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true}
{{- end }}
{{- if and (has "database" .needs) $v.database.caSecret.name }}
- {name: database-ca, mountPath: /run/secrets/database-ca, readOnly: true}
{{- end }}
{{- if and (has "keys" .needs) (eq $v.keys.provider "local") }}
- {name: keys, mountPath: /var/lib/signaalwissel/keys}
{{- end }}
{{- if $v.policies.existingConfigMap }}
- {name: policies, mountPath: /etc/signaalwissel/policies, readOnly: true}
{{- end }}
{{- if $v.publishersFile.existingConfigMap }}
- {name: publishers, mountPath: /etc/signaalwissel/publishers, readOnly: true}
{{- end }}
{{- range $v.extraSecrets }}
- {name: extra-{{ . }}, mountPath: /run/secrets/extra/{{ . }}, readOnly: true}
{{- end }}
{{- if has "access" .needs }}
- {name: access, mountPath: /run/secrets/access, readOnly: true}
{{- end }}
{{- if has "session" .needs }}
- {name: session, mountPath: /run/secrets/session, readOnly: true}
{{- end }}
{{- if and (has "state" .needs) (eq $v.stateStore.kind "rocksdb") }}
- {name: state, mountPath: /var/lib/signaalwissel/state}
{{- end }}
{{- end }}

{{- define "signaalwissel.volumes" -}}
{{- $v := .root.Values }}
{{- $user := index $v.kafka.users .user }}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- if ne $v.kafka.security.protocol "PLAINTEXT" }}
- {name: kafka, secret: {secretName: {{ $user.existingSecret }}, defaultMode: 288}}
{{- end }}
{{- if $v.kafka.security.caSecret.name }}
- {name: kafka-ca, secret: {secretName: {{ $v.kafka.security.caSecret.name }}, defaultMode: 288}}
{{- end }}
{{- if and (has "database" .needs) $v.database.caSecret.name }}
- {name: database-ca, secret: {secretName: {{ $v.database.caSecret.name }}, defaultMode: 288}}
{{- end }}
{{- if and (has "keys" .needs) (eq $v.keys.provider "local") }}
- {name: keys, persistentVolumeClaim: {claimName: {{ required "keys.existingClaim: with keys.provider local, name the claim" $v.keys.existingClaim }}}}
{{- end }}
{{- if $v.policies.existingConfigMap }}
- {name: policies, configMap: {name: {{ $v.policies.existingConfigMap }}}}
{{- end }}
{{- if $v.publishersFile.existingConfigMap }}
- {name: publishers, configMap: {name: {{ $v.publishersFile.existingConfigMap }}}}
{{- end }}
{{- range $v.extraSecrets }}
- {name: extra-{{ . }}, secret: {secretName: {{ . }}, defaultMode: 288}}
{{- end }}
{{- if has "access" .needs }}
- {name: access, secret: {secretName: {{ required "access.existingSecret: gateway and web need the access file" $v.access.existingSecret }}, defaultMode: 288}}
{{- end }}
{{- if has "session" .needs }}
- {name: session, secret: {secretName: {{ required "session.existingSecret: web needs it" $v.session.existingSecret }}, defaultMode: 288}}
{{- end }}
{{- if and (has "state" .needs) (eq $v.stateStore.kind "rocksdb") }}
- name: state
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $v.stateStore.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $v.stateStore.size }}}}
{{- end }}
{{- end }}

{{/* A pod's spec. In: root, name of the process, user, args, needs, port, resources; for jobs `job`. */}}
{{- define "signaalwissel.pod" -}}
{{- $v := .root.Values }}
{{- if .job }}
restartPolicy: Never
{{- else }}
serviceAccountName: {{ include "signaalwissel.name" .root }}
terminationGracePeriodSeconds: 60
{{- end }}
# Only a login at the key service needs the token of the service account.
automountServiceAccountToken: {{ and (not .job) (has "keys" .needs) (eq (toString (index $v.settings "VAULT_AUTH")) "kubernetes") }}
enableServiceLinks: false
securityContext:
  {{- include "signaalwissel.podSecurity" .root | nindent 2 }}
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - {name: {{ . }}}
  {{- end }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if not .job }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "signaalwissel.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
{{- end }}
containers:
  - name: {{ .component }}
    image: {{ include "signaalwissel.image" .root }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    args: {{ toJson .args }}
    securityContext:
      {{- include "signaalwissel.containerSecurity" .root | nindent 6 }}
    env:
      {{- include "signaalwissel.env" . | nindent 6 }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    {{- if .port }}
    ports:
      - {name: {{ .portName }}, containerPort: {{ .port }}, protocol: TCP}
      {{- with .metricsPort }}
      - {name: health, containerPort: {{ . }}, protocol: TCP}
      {{- end }}
    # Until a new process answers; restoring tables takes as long as it takes, and /livez says that it goes on.
    startupProbe:
      httpGet: {path: /livez, port: {{ .portName }}}
      periodSeconds: 5
      failureThreshold: 24
    livenessProbe:
      httpGet: {path: /livez, port: {{ .portName }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    readinessProbe:
      httpGet: {path: /readyz, port: {{ .portName }}}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    {{- end }}
    volumeMounts:
      {{- include "signaalwissel.mounts" . | nindent 6 }}
volumes:
  {{- include "signaalwissel.volumes" . | nindent 2 }}
{{- end }}

{{/* A deployment. In: what the pod takes, and replicas, strategy, scaled. */}}
{{- define "signaalwissel.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "signaalwissel.name" .root }}-{{ .name }}
  labels:
    {{- include "signaalwissel.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not .scaled }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy: {{- toYaml .strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "signaalwissel.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
      {{- if ne .name .component }}
      signaalwissel/instance: {{ .name }}
      {{- end }}
  template:
    metadata:
      labels:
        {{- include "signaalwissel.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        {{- if ne .name .component }}
        signaalwissel/instance: {{ .name }}
        {{- end }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "signaalwissel.pod" . | nindent 6 }}
{{- end }}
