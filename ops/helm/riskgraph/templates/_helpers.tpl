{{/* The name of everything of this release. */}}
{{- define "riskgraph.name" -}}
{{- if contains "riskgraph" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-riskgraph" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{/* Labels by which a part is found. They never change. Call: (list . "api") */}}
{{- define "riskgraph.selector" -}}
app.kubernetes.io/name: riskgraph
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of a part. Call: (list . "api") */}}
{{- define "riskgraph.labels" -}}
{{ include "riskgraph.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- define "riskgraph.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end }}

{{/* The pods of a part. Call: (list . "api" .Values.api) */}}
{{- define "riskgraph.pod" -}}
{{- $top := index . 0 -}}
{{- $part := index . 1 -}}
{{- $process := index . 2 -}}
metadata:
  labels:
    {{- include "riskgraph.labels" (list $top $part) | nindent 4 }}
  annotations:
    # A changed setting starts new pods. For a changed Secret: kubectl rollout restart.
    checksum/settings: {{ $top.Values.settings | toJson | sha256sum }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9464"
    {{- with $top.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "riskgraph.name" $top }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $top.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    seccompProfile: { type: RuntimeDefault }
  # Before the stop 5 seconds, then the draining, then 25 seconds for what runs. The rest is margin.
  terminationGracePeriodSeconds: {{ add $top.Values.drainSeconds 40 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "riskgraph.selector" (list $top $part) | nindent 10 }}
  {{- with $top.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $top.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ $part }}
      image: {{ include "riskgraph.image" $top | quote }}
      imagePullPolicy: {{ $top.Values.image.pullPolicy }}
      args: [{{ $part }}]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      ports:
        {{- if eq $part "api" }}
        - { name: http, containerPort: 4000 }
        {{- end }}
        - { name: metrics, containerPort: 9464 }
      envFrom:
        - configMapRef: { name: {{ include "riskgraph.name" $top }} }
      env:
        - { name: NODE_OPTIONS, value: {{ $process.nodeOptions | quote }} }
        - { name: MONGO_URI_FILE, value: /run/secrets/riskgraph/mongo-uri }
        - { name: REDIS_URL_FILE, value: /run/secrets/riskgraph/redis-url }
        - { name: SECRET_KEY_FILE, value: /run/secrets/riskgraph/secret-key }
        - { name: ENCRYPTION_KEYS_FILE, value: /run/secrets/riskgraph/encryption-keys }
        {{- range $variable, $key := $top.Values.moreSecrets }}
        - { name: {{ $variable }}_FILE, value: /run/secrets/riskgraph/{{ $key }} }
        {{- end }}
      {{- $port := ternary "http" "metrics" (eq $part "api") }}
      startupProbe:
        httpGet: { path: /health/live, port: {{ $port }} }
        periodSeconds: 2
        failureThreshold: 60
      # Red when the event loop stands still, and for a worker when its work is stuck.
      livenessProbe:
        httpGet: { path: /health/live, port: {{ $port }} }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: { path: /health/ready, port: {{ $port }} }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      lifecycle:
        # Time for the other nodes to learn that this pod gets no new connections. The draining follows.
        preStop: { exec: { command: [sleep, "5"] } }
      resources:
        {{- toYaml $process.resources | nindent 8 }}
      volumeMounts:
        - { name: secrets, mountPath: /run/secrets/riskgraph, readOnly: true }
        - { name: temporary-files, mountPath: /tmp }
        {{- range $index, $folder := $process.folders }}
        - { name: folder-{{ $index }}, mountPath: {{ $folder.path | quote }}, readOnly: {{ $folder.readOnly | default false }} }
        {{- end }}
  volumes:
    - name: secrets
      secret: { secretName: {{ $top.Values.secretName }}, defaultMode: 288 } # 0440
    - name: temporary-files
      emptyDir: { sizeLimit: {{ $top.Values.temporaryFiles }} }
    {{- range $index, $folder := $process.folders }}
    - name: folder-{{ $index }}
      persistentVolumeClaim: { claimName: {{ $folder.claim }}, readOnly: {{ $folder.readOnly | default false }} }
    {{- end }}
{{- end }}
